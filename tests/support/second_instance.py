"""Another Moodmiles beside the first, and files that travel between them."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import func, select

from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.models import Model
from sync.portability.pack import pack_export
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.recording_queue import RecordingQueue


@contextmanager
def open_second_instance(
    harness: Harness, template: Path, folder: Path
) -> Iterator[Harness]:
    """Open an empty Moodmiles with keys of its own; the world around is the same."""
    path = folder / "elsewhere.sqlite3"
    shutil.copy(template, path)
    queue = RecordingQueue()
    db = Database(open_engine(f"sqlite:///{path}"), queue, clock=harness.clock)
    sealer = Sealer(["the key of another Moodmiles, long enough"])
    runtime = replace(harness.runtime, db=db, queue=queue, sealer=sealer)
    yield replace(harness, runtime=runtime, queue=queue)
    db.close()


def read_export(runtime: Runtime, runner_id: int) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(pack_export(runtime, runner_id))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_export(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "travelling.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def count_rows(runtime: Runtime) -> dict[str, int]:
    """Count the rows of every table."""
    with runtime.db.read_only() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Model.metadata.sorted_tables
        }
