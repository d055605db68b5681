"""Keys rotate while everybody works, and a copy of the tables tells nothing."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import select, text

from host.keys import rotate_keys, rotate_vaults
from sync.crypto import Sealer
from sync.database import open_engine
from sync.errors import TryLater
from sync.models import (
    Export,
    Mail,
    MailLink,
    Model,
    Run,
)
from sync.runners import address, store
from sync.runners.tokens import get_access_token
from sync.runtime import Runtime
from sync.surveys.answering import answer
from tests.conftest import KEY
from tests.host.test_keys import NEW, read_sealed, runner_id
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.servers import wait_until

__all__ = ["runner_id"]

BREATH_S = 0.02


def repeat_until_stopped(
    work: Callable[[], object], stop: Event, failed: list[Exception]
) -> Thread:
    def loop() -> None:
        try:
            # SQLite hands its one lock to whoever comes by: nobody may hog it.
            while not stop.wait(BREATH_S):
                work()
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    return Thread(target=loop)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_keys_rotate_while_everybody_works(harness: Harness, runner_id: int) -> None:
    both = replace(harness.runtime, sealer=Sealer([NEW, KEY]))
    with both.db.read_only() as session:
        run_id = session.scalars(select(Run.id).order_by(Run.id.desc())).first() or 0
    stop = Event()
    failed: list[Exception] = []

    def answers() -> None:
        answer.record_run_answer(
            both, runner_id=runner_id, run_id=run_id, values={"mood": 1}
        )

    def refreshes() -> None:
        # Whoever finds the pair changed looks again later, as ever.
        with suppress(TryLater):
            get_access_token(both, runner_id, refused=get_access_token(both, runner_id))

    def confirms() -> None:
        address.request_confirmation(
            both, runner_id=runner_id, email="another@example.org"
        )
        address.confirm_address(both, token=read_pending_token(both, "confirm_address"))

    threads = [
        repeat_until_stopped(work, stop, failed)
        for work in (answers, refreshes, confirms)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            rotate_keys(both)
            rotate_vaults(both)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    rotate_keys(both)

    newest = replace(both, sealer=Sealer([NEW]))
    assert failed == []
    assert rotate_keys(newest) > 0
    assert get_access_token(newest, runner_id)
    with both.db.read_only() as session:
        hashes = newest.sealer.lookup_hashes("another@example.org")
        assert store.find_by_address(session, hashes)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_rotation_waits_for_one_row_and_holds_no_other(
    harness: Harness, runner_id: int
) -> None:
    """Else it and a request that takes two rows the other way round would deadlock."""
    both = replace(harness.runtime, sealer=Sealer([NEW, KEY]))
    failed: list[Exception] = []
    stop = Event()

    def rotate_once() -> None:
        rotate_keys(both)
        stop.set()

    with both.db.transaction() as session:
        links = select(MailLink).order_by(MailLink.token_hash).with_for_update()
        last = links.order_by(None).order_by(MailLink.token_hash.desc()).limit(1)
        secret = session.scalars(last).one()
        thread = repeat_until_stopped(rotate_once, stop, failed)
        thread.start()
        wait_until(lambda: is_waiting_for_lock(both))
        first = session.scalars(links.limit(1)).one()
    thread.join()

    assert first.token_hash < secret.token_hash
    assert failed == []


def is_waiting_for_lock(runtime: Runtime) -> bool:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type='Lock'")
    with runtime.db.read_only() as session:
        return bool(session.scalar(waiting))


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_copy_of_the_tables_tells_nothing(
    harness: Harness, runner_id: int, request: pytest.FixtureRequest
) -> None:
    copy = dump_database(harness.runtime.settings.database_url)
    grant = harness.world.grants.get(7)
    assert grant

    canaries = {
        "an access token": grant.access_token,
        "a refresh token": grant.refresh_token,
        "an address": "example.org",
        "a sign-in link": read_pending_token(harness.runtime, "sign_in_link"),
        "a confirmation": read_pending_token(harness.runtime, "confirm_address"),
        "an answer": '"mood":',
        "a file in an export": "codebook.csv",
        "a key": KEY,
    }
    for name, canary in canaries.items():
        assert canary.encode() not in copy, name
        assert canary.encode().hex().encode() not in copy, name
    for model in (Export, Mail):
        assert read_sealed(harness.runtime, model, "sealed")
    assert b"Europe/Berlin" in copy


def dump_database(url: str) -> bytes:
    """Return a backup as a host makes one: the file, or what pg_dump writes."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        return b"".join(
            file_path.read_bytes() for file_path in path.parent.glob(f"{path.name}*")
        )
    engine = open_engine(url)
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        lines = []
        for table in Model.metadata.sorted_tables:
            with cursor.copy(f"COPY {table.name} TO STDOUT") as copy:
                lines += [bytes(part) for part in copy]
    engine.dispose()
    return b"".join(lines)
