"""A deletion that is asked for in the middle of work: an undo loses nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync.inbox import handle
from sync.inbox import store as inbox
from sync.models import Event, Run, Survey
from sync.runners import deletion, disconnect
from sync.runs import reconcile
from sync.simulator import activities
from sync.strava import Lane, NotARun, Page, RemoteRun
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of
from tests.sync.runners.test_disconnect import rows, the_runner

DAY_MIN = 24 * 60


class AskedMeanwhile(HttpStrava):
    """The runner asks for a deletion while Strava's answer is on its way."""

    ask: Callable[[], object]

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> RemoteRun | NotARun:
        found = super().run(access_token, run_id, lane=lane)
        self.ask()
        return found

    @override
    def page(self, access_token: str, **wishes: Any) -> Page:
        found = super().page(access_token, **wishes)
        self.ask()
        return found


@pytest.fixture
def linked(stage: Stage) -> Stage:
    """Return a stage with a runner and two runs, looked through a minute ago."""
    athlete = stage.athlete()
    for days_ago in (3, 4):
        stage.run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    stage.link(athlete)
    stage.work()
    stage.pass_time(minutes=1)
    return stage


def one_new_run(stage: Stage) -> None:
    run = stage.run(athlete_of(stage), ended_minutes_ago=30)
    stage.tell(athlete_of(stage), run.id, "create")


def two_new_runs(stage: Stage) -> None:
    for minutes_ago in (200, 30):
        run = stage.run(athlete_of(stage), ended_minutes_ago=minutes_ago)
        stage.tell(athlete_of(stage), run.id, "create")


def a_run_that_is_not_gone(stage: Stage) -> None:
    one_new_run(stage)
    newest = max(run.id for run in stage.world.activities())
    stage.tell(athlete_of(stage), newest, "delete")


def asked_while_strava_answers(stage: Stage) -> None:
    strava = AskedMeanwhile(
        stage.runtime.settings, budget=Budget("", clock=stage.clock)
    )
    strava.ask = lambda: deletion.ask(stage.runtime, the_runner(stage))
    handle.drain(replace(stage.runtime, strava=strava))


def asked_as_the_events_were_taken(stage: Stage) -> None:
    with stage.runtime.db.transaction() as session:
        batch = inbox.claim(session, now=stage.clock())
    assert batch
    deletion.ask(stage.runtime, the_runner(stage))
    handle.act(stage.runtime, batch)
    stage.pass_time(minutes=6)  # its worker died before it let go


def due(stage: Stage) -> list[datetime]:
    with stage.runtime.db.reading() as session:
        told = select(Event.due_at).where(Event.due_at <= stage.clock())
        return [due_at for due_at in session.scalars(told) if due_at]


WAYS = [asked_while_strava_answers, asked_as_the_events_were_taken]
NEWS: dict[Callable[[Stage], None], int] = {
    one_new_run: 1,
    two_new_runs: 2,
    a_run_that_is_not_gone: 1,
}


@pytest.mark.parametrize("asked", WAYS)
@pytest.mark.parametrize("tell", NEWS)
def test_events_in_flight_are_read_and_asked_about_after_an_undo(
    linked: Stage, tell: Callable[[Stage], None], asked: Callable[[Stage], None]
) -> None:
    tell(linked)
    asked(linked)
    meanwhile, waiting = rows(linked, Run), due(linked)

    deletion.undo(linked.runtime, the_runner(linked))
    linked.work()

    assert meanwhile == 2
    assert len(waiting) == rows(linked, Event)
    assert due(linked) == []
    assert rows(linked, Run) == 2 + NEWS[tell]
    assert rows(linked, Survey) == NEWS[tell]


@pytest.mark.parametrize("asked", WAYS)
def test_events_in_flight_go_with_the_runner(
    linked: Stage, asked: Callable[[Stage], None]
) -> None:
    two_new_runs(linked)
    asked(linked)

    linked.pass_time(minutes=10)
    linked.work()
    disconnect.resume(linked.runtime)

    assert rows(linked, Event) == rows(linked, Run) == 0


def test_a_look_that_broke_off_is_made_at_once_after_an_undo(linked: Stage) -> None:
    gone = next(iter(linked.world.activities()))
    with linked.world.change():
        activities.delete(linked.world, gone)
    linked.pass_time(days=1)
    strava = AskedMeanwhile(
        linked.runtime.settings, budget=Budget("", clock=linked.clock)
    )
    strava.ask = lambda: deletion.ask(linked.runtime, the_runner(linked))
    reconcile.drain(replace(linked.runtime, strava=strava))
    meanwhile = rows(linked, Run)

    deletion.undo(linked.runtime, the_runner(linked))
    reconcile.drain(linked.runtime)

    assert (meanwhile, rows(linked, Run)) == (2, 1)
