"""Who stands still keeps no worker waiting, and no host awake."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from sync import condition
from sync.models import Backfill, Connection, Consent, Sweep
from sync.runners import erase
from sync.runtime import Runtime
from tests.stage import Stage
from tests.sync.test_events import athlete_of


def goes(runtime: Runtime, runner_id: int) -> None:
    erase.ask(runtime, runner_id)


def has_a_new_text_to_read(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))


def has_a_broken_link(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Connection).values(broken_at=runtime.now()))


@pytest.mark.parametrize("stands", [goes, has_a_new_text_to_read, has_a_broken_link])
def test_work_about_a_runner_who_stands_still_is_not_late(
    stage: Stage, stands: Callable[[Runtime, int], None]
) -> None:
    runner_id = stage.link(stage.athlete())
    stage.work()
    with stage.runtime.db.transaction() as session:
        for table in (Backfill, Sweep):
            session.execute(update(table).values(due_at=stage.clock()))
    stage.pass_time(minutes=5)
    late = condition.look(stage.runtime).late_s

    stands(stage.runtime, runner_id)

    still = condition.look(stage.runtime).late_s
    assert (late["backfill"], late["sweep"]) == (300, 300)
    assert (still["backfill"], still["sweep"]) == (0, 0)


def test_an_event_about_a_runner_who_goes_is_not_late(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())
    stage.tell(athlete_of(stage), 5, "create")
    stage.pass_time(minutes=5)
    late = condition.look(stage.runtime).late_s["inbox"]

    erase.ask(stage.runtime, runner_id)

    assert (late, condition.look(stage.runtime).late_s["inbox"]) == (300, 0)
