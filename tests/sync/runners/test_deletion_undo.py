"""A deletion that is asked for in the middle of work: an undo loses nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync import work
from sync.inbox import handle
from sync.inbox import store as inbox
from sync.models import Event, Run, Survey
from sync.runners import deletion, disconnect
from sync.runs import reconcile
from sync.simulator import activities
from sync.strava import Activity, ActivityPage, Lane
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete
from tests.sync.runners.test_disconnect import count_rows, get_runner

DAY_MIN = 24 * 60


class DeletionDuringReadStrava(HttpStrava):
    """The runner asks for a deletion while Strava's answer is on its way."""

    request_deletion: Callable[[], object]

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        record = super().run(access_token, run_id, lane=lane)
        self.request_deletion()
        return record

    @override
    def page(self, access_token: str, **options: Any) -> ActivityPage:
        listed_page = super().page(access_token, **options)
        self.request_deletion()
        return listed_page


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    """Return a stage with a runner and two runs, looked through a minute ago."""
    athlete = harness.add_athlete()
    for days_ago in (3, 4):
        harness.finish_run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(minutes=1)
    return harness


def add_one_run(harness: Harness) -> None:
    run = harness.finish_run(get_athlete(harness), ended_minutes_ago=30)
    harness.deliver_event(get_athlete(harness), run.id, "create")


def add_two_runs(harness: Harness) -> None:
    for minutes_ago in (200, 30):
        run = harness.finish_run(get_athlete(harness), ended_minutes_ago=minutes_ago)
        harness.deliver_event(get_athlete(harness), run.id, "create")


def add_false_removal(harness: Harness) -> None:
    add_one_run(harness)
    newest = max(run.id for run in harness.world.iter_activities())
    harness.deliver_event(get_athlete(harness), newest, "delete")


def asked_while_strava_answers(harness: Harness) -> None:
    strava = DeletionDuringReadStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )
    strava.request_deletion = lambda: deletion.request_deletion(
        harness.runtime, get_runner(harness)
    )
    handle.process_due(replace(harness.runtime, strava=strava))


def asked_as_the_events_were_taken(harness: Harness) -> None:
    with harness.runtime.db.transaction() as session:
        batch = inbox.claim_next(session, now=harness.clock())
    assert batch
    deletion.request_deletion(harness.runtime, get_runner(harness))
    inbox_work = handle.InboxWork()
    with work.attempt(harness.runtime, inbox_work, batch):
        inbox_work.handle(harness.runtime, batch)
    harness.advance_clock(minutes=6)  # its worker died before it let go


def list_due_events(harness: Harness) -> list[datetime]:
    with harness.runtime.db.read_only() as session:
        query = select(Event.due_at).where(Event.due_at <= harness.clock())
        return [due_at for due_at in session.scalars(query) if due_at]


WAYS = [asked_while_strava_answers, asked_as_the_events_were_taken]
NEWS: dict[Callable[[Harness], None], int] = {
    add_one_run: 1,
    add_two_runs: 2,
    add_false_removal: 1,
}


@pytest.mark.parametrize("asked", WAYS)
@pytest.mark.parametrize("tell", NEWS)
def test_events_in_flight_are_read_and_asked_about_after_an_undo(
    linked_harness: Harness,
    tell: Callable[[Harness], None],
    asked: Callable[[Harness], None],
) -> None:
    tell(linked_harness)
    asked(linked_harness)
    meanwhile, waiting = (
        count_rows(linked_harness, Run),
        list_due_events(linked_harness),
    )

    deletion.cancel_deletion(linked_harness.runtime, get_runner(linked_harness))
    linked_harness.process_all_due()

    assert meanwhile == 2
    assert len(waiting) == count_rows(linked_harness, Event)
    assert list_due_events(linked_harness) == []
    assert count_rows(linked_harness, Run) == 2 + NEWS[tell]
    assert count_rows(linked_harness, Survey) == NEWS[tell]


@pytest.mark.parametrize("asked", WAYS)
def test_events_in_flight_go_with_the_runner(
    linked_harness: Harness, asked: Callable[[Harness], None]
) -> None:
    add_two_runs(linked_harness)
    asked(linked_harness)

    linked_harness.advance_clock(minutes=10)
    linked_harness.process_all_due()
    disconnect.process_removals(linked_harness.runtime)

    assert count_rows(linked_harness, Event) == count_rows(linked_harness, Run) == 0


def test_a_look_that_broke_off_is_made_at_once_after_an_undo(
    linked_harness: Harness,
) -> None:
    gone = next(iter(linked_harness.world.iter_activities()))
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, gone)
    linked_harness.advance_clock(days=1)
    strava = DeletionDuringReadStrava(
        linked_harness.runtime.settings, budget=Budget("", clock=linked_harness.clock)
    )
    strava.request_deletion = lambda: deletion.request_deletion(
        linked_harness.runtime, get_runner(linked_harness)
    )
    reconcile.process_due(replace(linked_harness.runtime, strava=strava))
    meanwhile = count_rows(linked_harness, Run)

    deletion.cancel_deletion(linked_harness.runtime, get_runner(linked_harness))
    reconcile.process_due(linked_harness.runtime)

    assert (meanwhile, count_rows(linked_harness, Run)) == (2, 1)
