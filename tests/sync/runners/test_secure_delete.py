"""Who is deleted leaves no trace in SQLite's own files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from sync.models import Run, Runner
from sync.runners import deletion, disconnect
from sync.runtime import Runtime
from tests.support.harness import Stage

CANARY = "Canary watch of a runner who left"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    copy = tmp_path / "moodmiles.sqlite3"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


def written(tmp_path: Path) -> bytes:
    """Return every byte of the tables and of the log beside them."""
    return b"".join(path.read_bytes() for path in tmp_path.glob("moodmiles.sqlite3*"))


def after_ten_minutes(stage: Stage, runner_id: int) -> None:
    deletion.ask(stage.runtime, runner_id)
    stage.pass_time(minutes=10)
    disconnect.resume(stage.runtime)


def by_the_host(stage: Stage, runner_id: int) -> None:
    disconnect.delete_everything(stage.runtime, runner_id)


@pytest.mark.parametrize("goes", [after_ten_minutes, by_the_host])
def test_no_byte_of_a_deleted_runner_is_left(
    stage: Stage, runtime: Runtime, tmp_path: Path, goes: Callable[[Stage, int], None]
) -> None:
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=60 * 48)
    runner_id = stage.link(athlete)
    stage.work()
    with runtime.db.transaction() as session:
        session.execute(update(Run).values(device=CANARY))
        key = session.get_one(Runner, runner_id).vault_key
    before = written(tmp_path)

    goes(stage, runner_id)

    after = written(tmp_path)
    assert CANARY.encode() in before
    assert key in before
    assert CANARY.encode() not in after
    assert key not in after
