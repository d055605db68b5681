"""Who is deleted leaves no trace in SQLite's own files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from sync.models import Run, Runner
from sync.runners import deletion, disconnect
from sync.runtime import Runtime
from tests.support.harness import Harness

CANARY = "Canary watch of a runner who left"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    copy = tmp_path / "moodmiles.sqlite3"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


def read_database_bytes(tmp_path: Path) -> bytes:
    """Return every byte of the tables and of the log beside them."""
    return b"".join(path.read_bytes() for path in tmp_path.glob("moodmiles.sqlite3*"))


def delete_after_grace(harness: Harness, runner_id: int) -> None:
    deletion.request_deletion(harness.runtime, runner_id)
    harness.advance_clock(minutes=10)
    disconnect.process_removals(harness.runtime)


def delete_by_host(harness: Harness, runner_id: int) -> None:
    disconnect.delete_runner(harness.runtime, runner_id)


@pytest.mark.parametrize("goes", [delete_after_grace, delete_by_host])
def test_no_byte_of_a_deleted_runner_is_left(
    harness: Harness,
    runtime: Runtime,
    tmp_path: Path,
    goes: Callable[[Harness, int], None],
) -> None:
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=60 * 48)
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    with runtime.db.transaction() as session:
        session.execute(update(Run).values(device=CANARY))
        key = session.get_one(Runner, runner_id).vault_key
    before = read_database_bytes(tmp_path)

    goes(harness, runner_id)

    after = read_database_bytes(tmp_path)
    assert CANARY.encode() in before
    assert key in before
    assert CANARY.encode() not in after
    assert key not in after
