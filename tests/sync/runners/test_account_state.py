"""Who stands still keeps no worker waiting, and no host awake."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import update

from sync import account_state, work_status
from sync.models import Backfill, Connection, Consent, ReconcileState
from sync.runners import deletion, disconnect
from sync.runtime import Runtime
from sync.strava.budget import Budget
from tests.support.harness import Harness
from tests.support.simulated_kill import SimulatedKill
from tests.sync.inbox.test_handle import get_athlete
from tests.sync.runners.test_disconnect import KilledAtRevokeStrava


def ask_for_deletion(runtime: Runtime, runner_id: int) -> None:
    deletion.request_deletion(runtime, runner_id)


def outdate_consent(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))


def break_link(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Connection).values(broken_at=runtime.now()))


@pytest.mark.parametrize("stands", [ask_for_deletion, outdate_consent, break_link])
def test_work_about_a_runner_who_stands_still_is_not_late(
    harness: Harness, stands: Callable[[Runtime, int], None]
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    with harness.runtime.db.transaction() as session:
        for table in (Backfill, ReconcileState):
            session.execute(update(table).values(due_at=harness.clock()))
    harness.advance_clock(minutes=5)
    late = work_status.read_status(harness.runtime).late_s

    stands(harness.runtime, runner_id)

    still = work_status.read_status(harness.runtime).late_s
    assert (late["backfill"], late["sweep"]) == (300, 300)
    assert (still["backfill"], still["sweep"]) == (0, 0)


def test_an_event_about_a_runner_who_goes_is_not_late(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.deliver_event(get_athlete(harness), 5, "create")
    harness.advance_clock(minutes=5)
    late = work_status.read_status(harness.runtime).late_s["inbox"]

    deletion.request_deletion(harness.runtime, runner_id)

    assert (late, work_status.read_status(harness.runtime).late_s["inbox"]) == (300, 0)


def request_unclaimed_deletion(harness: Harness, runner_id: int) -> None:
    deletion.request_deletion(harness.runtime, runner_id)
    harness.advance_clock(minutes=10)


def request_failing_deletion(harness: Harness, runner_id: int) -> None:
    deletion.request_deletion(harness.runtime, runner_id)
    strava = KilledAtRevokeStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )
    dying = replace(harness.runtime, strava=strava)
    harness.advance_clock(minutes=5)
    for _ in range(2):
        harness.advance_clock(minutes=5)
        with suppress(SimulatedKill):
            disconnect.process_removals(dying)
    harness.advance_clock(minutes=-5)


def request_killed_disconnect(harness: Harness, runner_id: int) -> None:
    strava = KilledAtRevokeStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )
    dying = replace(harness.runtime, strava=strava)
    with suppress(SimulatedKill):
        disconnect.disconnect(dying, runner_id)
    harness.advance_clock(seconds=account_state.DELETION_GRACE.total_seconds())


@pytest.mark.parametrize(
    "begins",
    [
        request_unclaimed_deletion,
        request_failing_deletion,
        request_killed_disconnect,
    ],
)
def test_a_goodbye_that_should_have_been_said_is_late(
    harness: Harness, begins: Callable[[Harness, int], None]
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    early = work_status.read_status(harness.runtime)
    begins(harness, runner_id)

    harness.advance_clock(minutes=11)

    late = work_status.read_status(harness.runtime)
    assert (early.due["leaving"], early.late_s["leaving"]) == (0, 0)
    assert (late.due["leaving"], late.late_s["leaving"]) == (1, 660)
    disconnect.process_removals(harness.runtime)
    assert work_status.read_status(harness.runtime).late_s["leaving"] == 0


def test_a_deletion_that_can_be_undone_is_not_late(harness: Harness) -> None:
    deletion.request_deletion(
        harness.runtime, harness.link_runner(harness.add_athlete())
    )
    harness.advance_clock(minutes=9)

    assert work_status.read_status(harness.runtime).due["leaving"] == 0
