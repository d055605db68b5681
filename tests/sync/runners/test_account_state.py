"""Who stands still keeps no worker waiting, and no host awake."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import update

from sync import account_state, work_status
from sync.models import Backfill, Connection, Consent, Sweep
from sync.runners import deletion, disconnect
from sync.runtime import Runtime
from sync.strava.budget import Budget
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of
from tests.sync.runners.test_disconnect import DiesAtStrava, Killed


def goes(runtime: Runtime, runner_id: int) -> None:
    deletion.ask(runtime, runner_id)


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
    late = work_status.look(stage.runtime).late_s

    stands(stage.runtime, runner_id)

    still = work_status.look(stage.runtime).late_s
    assert (late["backfill"], late["sweep"]) == (300, 300)
    assert (still["backfill"], still["sweep"]) == (0, 0)


def test_an_event_about_a_runner_who_goes_is_not_late(stage: Stage) -> None:
    runner_id = stage.link(stage.athlete())
    stage.tell(athlete_of(stage), 5, "create")
    stage.pass_time(minutes=5)
    late = work_status.look(stage.runtime).late_s["inbox"]

    deletion.ask(stage.runtime, runner_id)

    assert (late, work_status.look(stage.runtime).late_s["inbox"]) == (300, 0)


def a_deletion_that_nobody_took(stage: Stage, runner_id: int) -> None:
    deletion.ask(stage.runtime, runner_id)
    stage.pass_time(minutes=10)


def a_deletion_that_fails_again_and_again(stage: Stage, runner_id: int) -> None:
    deletion.ask(stage.runtime, runner_id)
    strava = DiesAtStrava(stage.runtime.settings, budget=Budget("", clock=stage.clock))
    dying = replace(stage.runtime, strava=strava)
    stage.pass_time(minutes=5)
    for _ in range(2):
        stage.pass_time(minutes=5)
        with suppress(Killed):
            disconnect.resume(dying)
    stage.pass_time(minutes=-5)


def a_disconnect_whose_process_died(stage: Stage, runner_id: int) -> None:
    strava = DiesAtStrava(stage.runtime.settings, budget=Budget("", clock=stage.clock))
    dying = replace(stage.runtime, strava=strava)
    with suppress(Killed):
        disconnect.disconnect(dying, runner_id)
    stage.pass_time(seconds=account_state.HALF_SAID.total_seconds())


@pytest.mark.parametrize(
    "begins",
    [
        a_deletion_that_nobody_took,
        a_deletion_that_fails_again_and_again,
        a_disconnect_whose_process_died,
    ],
)
def test_a_goodbye_that_should_have_been_said_is_late(
    stage: Stage, begins: Callable[[Stage, int], None]
) -> None:
    runner_id = stage.link(stage.athlete())
    early = work_status.look(stage.runtime)
    begins(stage, runner_id)

    stage.pass_time(minutes=11)

    late = work_status.look(stage.runtime)
    assert (early.due["leaving"], early.late_s["leaving"]) == (0, 0)
    assert (late.due["leaving"], late.late_s["leaving"]) == (1, 660)
    disconnect.resume(stage.runtime)
    assert work_status.look(stage.runtime).late_s["leaving"] == 0


def test_a_deletion_that_can_be_undone_is_not_late(stage: Stage) -> None:
    deletion.ask(stage.runtime, stage.link(stage.athlete()))
    stage.pass_time(minutes=9)

    assert work_status.look(stage.runtime).due["leaving"] == 0
