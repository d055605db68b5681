"""What events missed is found by comparing, and doubt deletes nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync import counters
from sync.models import Connection, Run, Sweep
from sync.runners.tokens import access_token
from sync.runs import reconcile
from sync.runs.reconcile_rules import DAILY, FULL_PAGE, Stretch, recent
from sync.simulator import activities
from sync.simulator.records import Activity, App, Fault
from sync.strava import Lane
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of, runs_of

DAY_MIN = 24 * 60


@pytest.fixture
def linked(stage: Stage) -> Stage:
    """Import a runner with a run on each of eight days, and let a day pass."""
    athlete = stage.athlete()
    for days_ago in range(8):
        stage.run(athlete, ended_minutes_ago=30 + days_ago * DAY_MIN, silent=True)
    stage.link(athlete)
    stage.work()
    stage.pass_time(days=1, minutes=1)
    return stage


def equal(stage: Stage) -> bool:
    """Whether our runs are the simulated world's, field by field."""
    theirs = {
        one.id: (one.distance_m, one.moving_s, one.sport_type, one.start_s)
        for one in stage.world.activities()
        if one.sport_type in {"Run", "TrailRun", "VirtualRun"} and not one.is_private
    }
    ours = {
        run.source_id: (
            run.distance_m,
            run.moving_s,
            run.sport,
            int(run.started_at.timestamp()),
        )
        for run in runs_of(stage)
    }
    return ours == theirs


def newest(stage: Stage, place: int = 0) -> Activity:
    return sorted(stage.world.activities(), key=lambda one: -one.start_s)[place]


def sweep_of(stage: Stage) -> Sweep:
    with stage.runtime.db.reading() as session:
        return session.scalars(select(Sweep)).one()


def test_a_quiet_day_costs_one_read_and_changes_nothing(linked: Stage) -> None:
    before = linked.reads()

    reconcile.drain(linked.runtime)

    assert linked.reads() - before == 1
    assert sweep_of(linked).swept_at == linked.clock()
    assert timedelta(hours=22) < sweep_of(linked).due_at - linked.clock() <= DAILY


def test_missed_news_of_every_kind_is_found(linked: Stage) -> None:
    with linked.world.change():
        activities.delete(linked.world, newest(linked, 1))
        activities.edit(
            linked.world, newest(linked, 2), activities.Edit(distance_m=777)
        )
        activities.edit(
            linked.world, newest(linked, 3), activities.Edit(sport_type="Ride")
        )
        activities.edit(
            linked.world, newest(linked, 4), activities.Edit(visibility="only_me")
        )
    linked.run(athlete_of(linked), ended_minutes_ago=10, silent=True)
    linked.run(athlete_of(linked), ended_minutes_ago=10 * DAY_MIN, silent=True)

    reconcile.drain(linked.runtime)

    assert equal(linked)


def test_a_run_that_went_is_asked_for_before_it_is_removed(linked: Stage) -> None:
    with linked.world.change():
        activities.delete(linked.world, newest(linked))
    before = linked.reads()

    reconcile.drain(linked.runtime)

    assert linked.reads() - before == 2
    with linked.runtime.db.reading() as session:
        assert len(session.scalars(select(Run.id)).all()) == 7


def test_a_list_that_hides_runs_wrongly_removes_none(linked: Stage) -> None:
    with linked.world.change():
        linked.world.set(App(client_id="1", client_secret="simulated", page_at_most=5))

    reconcile.drain(linked.runtime)

    assert len(runs_of(linked)) == 8


@pytest.mark.parametrize(("short_by", "covers_all"), [(0, False), (1, True)])
def test_a_full_page_says_nothing_about_what_is_older_than_its_last_run(
    linked: Stage, short_by: int, *, covers_all: bool
) -> None:
    oldest = runs_of(linked)[0]
    token = access_token(linked.runtime, oldest.runner_id)
    page = linked.runtime.strava.page(token, lane=Lane.SWEEP)
    full = replace(page, size=FULL_PAGE - short_by)
    since, until = linked.clock() - timedelta(days=14), linked.clock()

    found = recent(full, since=since, until=until)

    assert found == Stretch(since if covers_all else oldest.started_at, until)


def test_would_delete_everything_stops_and_says_so(linked: Stage) -> None:
    with linked.world.change():
        for activity in list(linked.world.activities()):
            activities.delete(linked.world, activity)

    reconcile.drain(linked.runtime)

    assert len(runs_of(linked)) == 8
    assert sweep_of(linked).stopped_for == "would delete everything"
    with linked.runtime.db.reading() as session:
        assert counters.counted(session) == {"sweep stopped": 1}


def test_a_runner_with_few_runs_may_delete_them_all(stage: Stage) -> None:
    athlete = stage.athlete()
    for days_ago in (0, 1):
        stage.run(athlete, ended_minutes_ago=30 + days_ago * DAY_MIN)
    stage.link(athlete)
    stage.work()
    stage.pass_time(days=1, minutes=1)
    with stage.world.change():
        for activity in list(stage.world.activities()):
            activities.delete(stage.world, activity)

    reconcile.drain(stage.runtime)

    assert runs_of(stage) == []


def test_the_whole_list_is_compared_every_28_days(linked: Stage) -> None:
    athlete = athlete_of(linked)
    for days_ago in range(20, 620):
        linked.run(athlete, ended_minutes_ago=days_ago * DAY_MIN, silent=True)
    linked.pass_time(days=28)
    before = linked.reads()

    reconcile.drain(linked.runtime)

    assert equal(linked)
    assert linked.reads() - before == 5  # 608 activities and the empty page
    assert sweep_of(linked).compared_at == linked.clock()


def test_old_runs_that_went_are_found_by_the_full_comparison(linked: Stage) -> None:
    linked.pass_time(days=28)
    with linked.world.change():
        for place in (7, 3):
            activities.delete(linked.world, newest(linked, place))

    reconcile.drain(linked.runtime)

    assert equal(linked)
    assert len(runs_of(linked)) == 6


def test_a_full_comparison_goes_on_where_it_was_killed(linked: Stage) -> None:
    athlete = athlete_of(linked)
    for days_ago in range(20, 420):
        linked.run(athlete, ended_minutes_ago=days_ago * DAY_MIN, silent=True)
    linked.pass_time(days=28)
    with linked.world.change():
        linked.world.faults.put(
            Fault(id=1, kind="status", status=500, on="list", times=1)
        )
    reconcile.drain(linked.runtime)
    before = linked.reads()

    linked.pass_time(minutes=3)
    reconcile.drain(linked.runtime)

    assert equal(linked)
    assert linked.reads() - before == 4


def test_a_used_up_limit_puts_the_sweep_off(linked: Stage) -> None:
    with linked.world.change():
        linked.world.faults.put(
            Fault(id=1, kind="status", status=429, on="list", times=1)
        )

    reconcile.drain(linked.runtime)

    assert sweep_of(linked).attempts == 0
    assert sweep_of(linked).due_at > linked.clock()
    assert sweep_of(linked).swept_at is None


def test_a_hidden_run_whose_confirmation_never_came_is_confirmed(
    linked: Stage,
) -> None:
    with linked.world.change():
        activities.delete(linked.world, newest(linked))
    with linked.runtime.db.transaction() as session:
        session.execute(
            update(Run)
            .where(Run.source_id.not_in([one.id for one in linked.world.activities()]))
            .values(hidden_at=linked.clock())
        )

    reconcile.drain(linked.runtime)

    with linked.runtime.db.reading() as session:
        assert len(session.scalars(select(Run.id)).all()) == 7


def test_nobody_sweeps_a_runner_who_is_being_worked_on(linked: Stage) -> None:
    with linked.runtime.db.transaction() as session:
        session.execute(
            update(Connection).values(busy_until=linked.clock() + timedelta(minutes=5))
        )

    reconcile.drain(linked.runtime)

    assert sweep_of(linked).swept_at is None
