"""kill -9 while an export is packed: the next worker packs it, whole, and once."""

from io import BytesIO
from itertools import chain, count
from zipfile import ZipFile

from sqlalchemy import select

from sync.models import Export, Mail
from sync.portability import exports
from sync.portability.pack import STEPS
from tests.faults.test_killed_workers import kill_at_each_step, link_runner
from tests.faults.worker_pool import WorkerPool
from tests.support.harness import Harness

# Between its tables the packing is much alike; beginning and end are tried whole.
SOME_STEPS = (*range(1, 5), *range(5, 2 * STEPS - 1, 7))


def test_an_export(harness: Harness, worker_pool: WorkerPool) -> None:
    runner_id = link_runner(harness)
    packed: list[list[str]] = []

    def prepare(step: int) -> None:
        harness.advance_clock(minutes=1)
        exports.request_export(harness.runtime, runner_id)

    def then() -> None:
        exports.process_due(harness.runtime)
        packed.append(list_names(exports.load_export(harness.runtime, runner_id)))

    steps = chain(SOME_STEPS, count(2 * STEPS - 1))
    kill_at_each_step(harness, worker_pool, "export", prepare, then=then, steps=steps)

    assert len(packed) > len(SOME_STEPS) + 2
    assert packed == packed[:1] * len(packed)
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Export.due_at)).all() == [None]
        mail_kinds = select(Mail.kind).where(Mail.kind == "export_ready")
        assert len(session.scalars(mail_kinds).all()) == len(packed)


def list_names(packed: bytes | None) -> list[str]:
    """Return what a whole ZIP holds; a half one fails here."""
    assert packed
    with ZipFile(BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return archive.namelist()
