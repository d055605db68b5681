"""What events missed is found by comparing, and doubt deletes nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync import counters
from sync.models import Connection, ReconcileState, Run
from sync.runners.tokens import get_access_token
from sync.runs import reconcile
from sync.runs.reconcile_rules import (
    DAILY_INTERVAL,
    FULL_PAGE,
    CoveredRange,
    recent_range,
)
from sync.simulator import activities
from sync.simulator.records import Activity, App, SimulatedFault
from sync.strava import Lane
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, list_runs

DAY_MIN = 24 * 60


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    """Import a runner with a run on each of eight days, and let a day pass."""
    athlete = harness.add_athlete()
    for days_ago in range(8):
        harness.finish_run(
            athlete, ended_minutes_ago=30 + days_ago * DAY_MIN, silent=True
        )
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(days=1, minutes=1)
    return harness


def has_equal_tables(harness: Harness) -> bool:
    """Whether our runs are the simulated world's, field by field."""
    strava_rows = {
        activity.id: (
            activity.distance_m,
            activity.moving_s,
            activity.sport_type,
            activity.start_s,
        )
        for activity in harness.world.iter_activities()
        if activity.sport_type in {"Run", "TrailRun", "VirtualRun"}
        and not activity.is_private
    }
    stored_rows = {
        run.source_id: (
            run.distance_m,
            run.moving_s,
            run.sport,
            int(run.started_at.timestamp()),
        )
        for run in list_runs(harness)
    }
    return stored_rows == strava_rows


def get_newest(harness: Harness, index: int = 0) -> Activity:
    return sorted(harness.world.iter_activities(), key=lambda one: -one.start_s)[index]


def get_reconcile_row(harness: Harness) -> ReconcileState:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(ReconcileState)).one()


def test_a_quiet_day_costs_one_read_and_changes_nothing(
    linked_harness: Harness,
) -> None:
    before = linked_harness.count_strava_reads()

    reconcile.process_due(linked_harness.runtime)

    assert linked_harness.count_strava_reads() - before == 1
    assert get_reconcile_row(linked_harness).swept_at == linked_harness.clock()
    assert (
        timedelta(hours=22)
        < get_reconcile_row(linked_harness).due_at - linked_harness.clock()
        <= DAILY_INTERVAL
    )


def test_missed_news_of_every_kind_is_found(linked_harness: Harness) -> None:
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, get_newest(linked_harness, 1))
        activities.edit_activity(
            linked_harness.world,
            get_newest(linked_harness, 2),
            activities.ActivityEdit(distance_m=777),
        )
        activities.edit_activity(
            linked_harness.world,
            get_newest(linked_harness, 3),
            activities.ActivityEdit(sport_type="Ride"),
        )
        activities.edit_activity(
            linked_harness.world,
            get_newest(linked_harness, 4),
            activities.ActivityEdit(visibility="only_me"),
        )
    linked_harness.finish_run(
        get_athlete(linked_harness), ended_minutes_ago=10, silent=True
    )
    linked_harness.finish_run(
        get_athlete(linked_harness), ended_minutes_ago=10 * DAY_MIN, silent=True
    )

    reconcile.process_due(linked_harness.runtime)

    assert has_equal_tables(linked_harness)


def test_a_run_that_went_is_asked_for_before_it_is_removed(
    linked_harness: Harness,
) -> None:
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, get_newest(linked_harness))
    before = linked_harness.count_strava_reads()

    reconcile.process_due(linked_harness.runtime)

    assert linked_harness.count_strava_reads() - before == 2
    with linked_harness.runtime.db.read_only() as session:
        assert len(session.scalars(select(Run.id)).all()) == 7


def test_a_list_that_hides_runs_wrongly_removes_none(linked_harness: Harness) -> None:
    with linked_harness.world.transaction():
        linked_harness.world.put_singleton(
            App(client_id="1", client_secret="simulated", page_at_most=5)
        )

    reconcile.process_due(linked_harness.runtime)

    assert len(list_runs(linked_harness)) == 8


@pytest.mark.parametrize(("short_by", "covers_all"), [(0, False), (1, True)])
def test_a_full_page_says_nothing_about_what_is_older_than_its_last_run(
    linked_harness: Harness, short_by: int, *, covers_all: bool
) -> None:
    oldest = list_runs(linked_harness)[0]
    token = get_access_token(linked_harness.runtime, oldest.runner_id)
    page = linked_harness.runtime.strava.page(token, lane=Lane.RECONCILE)
    full = replace(page, size=FULL_PAGE - short_by)
    since, until = linked_harness.clock() - timedelta(days=14), linked_harness.clock()

    found = recent_range(full, since=since, until=until)

    assert found == CoveredRange(since if covers_all else oldest.started_at, until)


def test_would_delete_everything_stops_and_says_so(linked_harness: Harness) -> None:
    with linked_harness.world.transaction():
        for activity in list(linked_harness.world.iter_activities()):
            activities.delete_activity(linked_harness.world, activity)

    reconcile.process_due(linked_harness.runtime)

    assert len(list_runs(linked_harness)) == 8
    assert get_reconcile_row(linked_harness).stopped_for == "would delete everything"
    with linked_harness.runtime.db.read_only() as session:
        assert counters.load_counts(session) == {"sweep stopped": 1}


def test_a_runner_with_few_runs_may_delete_them_all(harness: Harness) -> None:
    athlete = harness.add_athlete()
    for days_ago in (0, 1):
        harness.finish_run(athlete, ended_minutes_ago=30 + days_ago * DAY_MIN)
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(days=1, minutes=1)
    with harness.world.transaction():
        for activity in list(harness.world.iter_activities()):
            activities.delete_activity(harness.world, activity)

    reconcile.process_due(harness.runtime)

    assert list_runs(harness) == []


def test_the_whole_list_is_compared_every_28_days(linked_harness: Harness) -> None:
    athlete = get_athlete(linked_harness)
    for days_ago in range(20, 620):
        linked_harness.finish_run(
            athlete, ended_minutes_ago=days_ago * DAY_MIN, silent=True
        )
    linked_harness.advance_clock(days=28)
    before = linked_harness.count_strava_reads()

    reconcile.process_due(linked_harness.runtime)

    assert has_equal_tables(linked_harness)
    assert (
        linked_harness.count_strava_reads() - before == 5
    )  # 608 activities and the empty page
    assert get_reconcile_row(linked_harness).compared_at == linked_harness.clock()


def test_old_runs_that_went_are_found_by_the_full_comparison(
    linked_harness: Harness,
) -> None:
    linked_harness.advance_clock(days=28)
    with linked_harness.world.transaction():
        for place in (7, 3):
            activities.delete_activity(
                linked_harness.world, get_newest(linked_harness, place)
            )

    reconcile.process_due(linked_harness.runtime)

    assert has_equal_tables(linked_harness)
    assert len(list_runs(linked_harness)) == 6


def test_a_full_comparison_goes_on_where_it_was_killed(linked_harness: Harness) -> None:
    athlete = get_athlete(linked_harness)
    for days_ago in range(20, 420):
        linked_harness.finish_run(
            athlete, ended_minutes_ago=days_ago * DAY_MIN, silent=True
        )
    linked_harness.advance_clock(days=28)
    with linked_harness.world.transaction():
        linked_harness.world.faults.put(
            SimulatedFault(id=1, kind="status", status=500, on="list", times=1)
        )
    reconcile.process_due(linked_harness.runtime)
    before = linked_harness.count_strava_reads()

    linked_harness.advance_clock(minutes=3)
    reconcile.process_due(linked_harness.runtime)

    assert has_equal_tables(linked_harness)
    assert linked_harness.count_strava_reads() - before == 4


def test_a_used_up_limit_postpones_reconciling(linked_harness: Harness) -> None:
    with linked_harness.world.transaction():
        linked_harness.world.faults.put(
            SimulatedFault(id=1, kind="status", status=429, on="list", times=1)
        )

    reconcile.process_due(linked_harness.runtime)

    assert get_reconcile_row(linked_harness).attempts == 0
    assert get_reconcile_row(linked_harness).due_at > linked_harness.clock()
    assert get_reconcile_row(linked_harness).swept_at is None


def test_a_hidden_run_whose_confirmation_never_came_is_confirmed(
    linked_harness: Harness,
) -> None:
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, get_newest(linked_harness))
    with linked_harness.runtime.db.transaction() as session:
        session.execute(
            update(Run)
            .where(
                Run.source_id.not_in(
                    [one.id for one in linked_harness.world.iter_activities()]
                )
            )
            .values(hidden_at=linked_harness.clock())
        )

    reconcile.process_due(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        assert len(session.scalars(select(Run.id)).all()) == 7


def test_a_runner_in_work_is_not_reconciled(linked_harness: Harness) -> None:
    with linked_harness.runtime.db.transaction() as session:
        session.execute(
            update(Connection).values(
                busy_until=linked_harness.clock() + timedelta(minutes=5)
            )
        )

    reconcile.process_due(linked_harness.runtime)

    assert get_reconcile_row(linked_harness).swept_at is None
