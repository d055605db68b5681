"""No time is believed that is later than when we first heard of a run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from sync.analytics.dataset.overview import load_dashboard
from sync.models import (
    Answer,
    Decision,
    Mail,
    ReconcileState,
    Run,
    Runner,
    Survey,
)
from sync.run_clock import CLOCK_TOLERANCE, judge_clock
from sync.runners.preferences import save_preferences
from sync.runs import pull, reconcile, retention, store
from sync.runs.changes import save_pulled
from sync.settings import Settings
from sync.simulator.records import Activity, Athlete
from sync.strava import Lane
from sync.strava.client import build_page
from sync.surveys.answering import answer
from sync.surveys.answering.run_detail import load_run_detail
from sync.surveys.sending import checkins, decide_runs
from sync.vocabulary import DecisionReason
from tests.support.harness import Harness

DAY_MIN = 24 * 60
YEARS_MIN = 4 * 365 * DAY_MIN
SEVEN_WEEKS_S = 4_208_365
BOTH_DATABASES = pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    return athlete


def receive_by_event(harness: Harness, athlete: Athlete, run: Activity) -> None:
    harness.deliver_event(athlete, run.id, "create")


def receive_by_list(harness: Harness, athlete: Athlete, run: Activity) -> None:
    other = harness.finish_run(athlete, ended_minutes_ago=9 * DAY_MIN)
    harness.deliver_event(athlete, other.id, "create")
    harness.deliver_event(athlete, run.id, "create")


def receive_by_pull(harness: Harness, athlete: Athlete, run: Activity) -> None:
    pull.pull_run(harness.runtime, 1, run.id, lane=Lane.NEW_RUN)


SOURCES = (receive_by_event, receive_by_list, receive_by_pull)


def finish_ahead(harness: Harness, athlete: Athlete, **fields: float) -> Activity:
    """Let a run end years ahead by its clock, and its event arrive."""
    run = harness.finish_run(athlete, ended_minutes_ago=-YEARS_MIN, **fields)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return run


def load_reasons(harness: Harness) -> dict[int, str]:
    with harness.runtime.db.read_only() as session:
        rows = session.execute(
            select(Run.source_id, Decision.reason).join(
                Decision, Decision.run_id == Run.id
            )
        )
        return {row.source_id: row.reason for row in rows}


def load_run(harness: Harness, source_id: int) -> Run:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(Run).where(Run.source_id == source_id)).one()


def find_latest_plan(harness: Harness) -> datetime | None:
    """Return the latest time that is planned in any table."""
    with harness.runtime.db.read_only() as session:
        times = [
            session.scalar(select(func.max(column)))
            for column in (Mail.due_at, Mail.stale_at, Survey.send_at)
        ]
    return max((time for time in times if time is not None), default=None)


@BOTH_DATABASES
@pytest.mark.parametrize("receive", SOURCES)
@pytest.mark.parametrize("minutes_ahead", [3 * 60, YEARS_MIN])
def test_a_clock_ahead_plans_nothing_whichever_way_it_came(
    harness: Harness,
    athlete: Athlete,
    receive: Callable[[Harness, Athlete, Activity], None],
    minutes_ahead: int,
) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=-minutes_ahead)

    receive(harness, athlete, run)
    harness.process_all_due()

    assert load_run(harness, run.id).clock_ahead
    assert load_reasons(harness)[run.id] == DecisionReason.CLOCK_AHEAD
    assert find_latest_plan(harness) is None


def test_a_run_hours_ahead_that_only_the_list_shows_is_marked(
    harness: Harness, athlete: Athlete
) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=-5 * 60, silent=True)
    harness.advance_clock(hours=-1)
    with harness.runtime.db.transaction() as session:
        session.execute(update(ReconcileState).values(due_at=harness.clock()))

    reconcile.process_due(harness.runtime)
    decide_runs.process_due(harness.runtime)

    assert load_reasons(harness) == {run.id: DecisionReason.CLOCK_AHEAD}


@BOTH_DATABASES
def test_the_next_real_run_is_asked_about_and_moves_the_zone(
    harness: Harness, athlete: Athlete
) -> None:
    save_preferences(harness.runtime, 1, {"ask": "weekly"})
    finish_ahead(harness, athlete)

    real = harness.finish_run(athlete, ended_minutes_ago=5, zone="Asia/Dhaka")
    harness.deliver_event(athlete, real.id, "create")
    harness.process_all_due()

    assert load_reasons(harness)[real.id] in {"after the run", "next morning"}
    with harness.runtime.db.read_only() as session:
        assert session.get_one(Runner, 1).zone == "Asia/Dhaka"


def test_of_a_burst_the_newest_real_run_is_asked_about(
    harness: Harness, athlete: Athlete
) -> None:
    runs = [
        harness.finish_run(athlete, ended_minutes_ago=minutes_ago)
        for minutes_ago in (180, 90, 10, -YEARS_MIN)
    ]
    for run in runs:
        harness.deliver_event(athlete, run.id, "create")

    harness.process_all_due()

    reasons = load_reasons(harness)
    assert reasons[runs[-1].id] == DecisionReason.CLOCK_AHEAD
    assert reasons[runs[-2].id] in {"after the run", "next morning"}


@BOTH_DATABASES
def test_charts_and_prompts_end_today_and_the_run_is_listed(
    harness: Harness, athlete: Athlete
) -> None:
    real = harness.finish_run(athlete, ended_minutes_ago=60 * 30)
    harness.deliver_event(athlete, real.id, "create")
    ahead = finish_ahead(harness, athlete)

    dashboard = load_dashboard(harness.runtime, 1)

    assert len(dashboard.runs) == 1
    assert len(dashboard.weeks) == 1
    assert [run.strava_id for run in dashboard.left_out] == [ahead.id]
    detail = load_run_detail(harness.runtime, 1, dashboard.left_out[0].id)
    assert detail is not None
    assert not detail.can_answer
    with pytest.raises(answer.SurveyClosed):
        answer.record_run_answer(
            harness.runtime,
            runner_id=1,
            run_id=dashboard.left_out[0].id,
            values={"mood": 1},
        )


def test_the_habit_is_learned_from_real_runs(
    harness: Harness, athlete: Athlete
) -> None:
    finish_ahead(harness, athlete)

    with harness.runtime.db.read_only() as session:
        assert store.load_finishes(session, 1) == []


@BOTH_DATABASES
def test_an_elapsed_time_of_seven_weeks_ends_with_the_run(
    harness: Harness, athlete: Athlete
) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=5)
    with harness.world.transaction():
        harness.world.put_activity(replace(run, elapsed_s=SEVEN_WEEKS_S))
    harness.deliver_event(athlete, run.id, "create")

    harness.process_all_due()

    stored, now = load_run(harness, run.id), harness.clock()
    assert stored.elapsed_s == SEVEN_WEEKS_S
    assert not stored.clock_ahead
    assert now - timedelta(minutes=6) < stored.ended_at <= now
    latest = find_latest_plan(harness)
    assert latest is not None
    assert latest < now + timedelta(days=1)
    harness.advance_clock(days=2)
    assert not any(load_dashboard(harness.runtime, 1).runs.derived.can_answer)


@BOTH_DATABASES
def test_a_time_put_right_counts_and_is_asked_about(
    harness: Harness, athlete: Athlete
) -> None:
    run = finish_ahead(harness, athlete)
    right_s = int(harness.clock().timestamp()) - 3000
    with harness.world.transaction():
        harness.world.put_activity(replace(run, start_s=right_s))
    harness.advance_clock(minutes=2)

    pull.pull_run(harness.runtime, 1, run.id, lane=Lane.NEW_RUN)
    decide_runs.process_due(harness.runtime)

    dashboard = load_dashboard(harness.runtime, 1)
    assert (len(dashboard.runs), len(dashboard.left_out)) == (1, 0)
    assert load_reasons(harness)[run.id] in {"after the run", "next morning"}


def test_a_time_put_right_too_late_says_so(harness: Harness, athlete: Athlete) -> None:
    run = finish_ahead(harness, athlete)
    right_s = int(harness.clock().timestamp()) - 3000
    with harness.world.transaction():
        harness.world.put_activity(replace(run, start_s=right_s))
    harness.advance_clock(days=3)

    pull.pull_run(harness.runtime, 1, run.id, lane=Lane.NEW_RUN)
    decide_runs.process_due(harness.runtime)

    assert load_reasons(harness)[run.id] == "too old"


def test_a_real_run_that_is_moved_ahead_takes_its_question_back(
    harness: Harness, athlete: Athlete
) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=5)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    with harness.world.transaction():
        harness.world.put_activity(
            replace(run, start_s=run.start_s + YEARS_MIN * 60, start_hidden=True)
        )

    pull.pull_run(harness.runtime, 1, run.id, lane=Lane.NEW_RUN)
    decide_runs.process_due(harness.runtime)

    assert load_reasons(harness)[run.id] == DecisionReason.CLOCK_AHEAD
    assert find_latest_plan(harness) is None


def test_nothing_is_asked_when_the_false_time_is_there(
    harness: Harness, athlete: Athlete
) -> None:
    run = finish_ahead(harness, athlete)
    harness.advance_clock(minutes=YEARS_MIN + 10)

    pull.pull_run(harness.runtime, 1, run.id, lane=Lane.NEW_RUN)
    decide_runs.process_due(harness.runtime)

    assert load_run(harness, run.id).clock_ahead
    assert load_reasons(harness)[run.id] == DecisionReason.CLOCK_AHEAD
    assert find_latest_plan(harness) is None
    assert len(load_dashboard(harness.runtime, 1).runs) == 0


@BOTH_DATABASES
@pytest.mark.parametrize("earlier_runs", [[], [1]])
def test_what_was_planned_for_a_false_time_is_taken_back(
    harness: Harness, athlete: Athlete, earlier_runs: list[int]
) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=5)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    ahead_at = harness.clock() + timedelta(minutes=YEARS_MIN)
    with harness.runtime.db.transaction() as session:
        # As an earlier version stored and planned it, and a migration marked it.
        session.execute(update(Run).values(started_at=ahead_at, clock_ahead=True))
        session.execute(
            update(Survey).values(
                send_at=ahead_at,
                expires_at=ahead_at + timedelta(days=1),
                tags={"earlier_runs": earlier_runs},
            )
        )
        session.execute(update(Mail).values(due_at=ahead_at, stale_at=ahead_at))

    decide_runs.process_due(harness.runtime)

    assert load_reasons(harness) == {run.id: DecisionReason.CLOCK_AHEAD}
    assert find_latest_plan(harness) is None


def test_a_mail_far_ahead_counts_in_no_week_of_now(
    harness: Harness, athlete: Athlete
) -> None:
    """Whatever put it there: it is not within seven days of the new one."""
    save_preferences(harness.runtime, 1, {"ask": "weekly"})
    first = harness.finish_run(athlete, ended_minutes_ago=5)
    harness.deliver_event(athlete, first.id, "create")
    harness.process_all_due()
    ahead_at = harness.clock() + timedelta(minutes=YEARS_MIN)
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(Survey).values(
                send_at=ahead_at, sent_at=ahead_at, local_day=ahead_at.date()
            )
        )
        session.execute(update(Mail).values(due_at=None, sent_at=ahead_at))
    harness.advance_clock(days=2)

    real = harness.finish_run(athlete, ended_minutes_ago=5)
    harness.deliver_event(athlete, real.id, "create")
    harness.process_all_due()

    assert load_reasons(harness)[real.id] in {"after the run", "next morning"}


def test_a_false_time_claims_no_answer_of_its_twin(
    harness: Harness, athlete: Athlete
) -> None:
    """A run that leaves its twin for a false time lets that one count again."""
    first = harness.finish_run(athlete, ended_minutes_ago=5)
    second = harness.finish_run(athlete, ended_minutes_ago=5, manual=True)
    for run in (first, second):
        harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    assert not load_run(harness, second.id).counted
    with harness.world.transaction():
        harness.world.put_activity(
            replace(first, start_s=first.start_s + YEARS_MIN * 60)
        )

    pull.pull_run(harness.runtime, 1, first.id, lane=Lane.NEW_RUN)

    assert load_run(harness, second.id).counted
    assert load_run(harness, second.id).duplicate_of is None


@BOTH_DATABASES
def test_a_false_time_keeps_no_run_longer_than_the_host_may(
    harness: Harness, athlete: Athlete
) -> None:
    finish_ahead(harness, athlete)
    values = {**dict(harness.runtime.settings), "strava_retention_days": 7}
    limited = replace(harness.runtime, settings=Settings.model_construct(**values))
    harness.advance_clock(days=8)

    retention.purge_runs(limited)

    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Run.id)).all() == []


def test_a_check_in_is_drawn_as_if_the_run_were_not_there(
    harness: Harness, athlete: Athlete
) -> None:
    finish_ahead(harness, athlete)

    checkins.process_due(harness.runtime)

    latest = find_latest_plan(harness)
    assert latest is None or latest < harness.clock() + timedelta(days=1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("start_hidden", [False, True])
def test_no_zone_is_a_mistake(
    harness: Harness, athlete: Athlete, zone: str, start_hidden: bool
) -> None:
    run = harness.finish_run(
        athlete, ended_minutes_ago=1, zone=zone, start_hidden=start_hidden
    )
    harness.deliver_event(athlete, run.id, "create")

    harness.process_all_due()

    assert not load_run(harness, run.id).clock_ahead


HEARD_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


@given(
    ahead_s=st.integers(-(10**9), 10**9),
    moving_s=st.integers(0, 366 * 86_400),
    break_s=st.integers(0, 366 * 86_400),
    local_days=st.integers(-400, 400),
)
def test_no_end_is_later_than_the_tolerance(
    ahead_s: int, moving_s: int, break_s: int, local_days: int
) -> None:
    started_at = HEARD_AT + timedelta(seconds=ahead_s)

    clock = judge_clock(
        started_at=started_at,
        local_day=started_at.date() + timedelta(days=local_days),
        moving_s=moving_s,
        elapsed_s=moving_s + break_s,
        first_seen_at=HEARD_AT,
    )

    assert 0 <= clock.elapsed_s <= moving_s + break_s
    if not clock.is_ahead:
        assert started_at <= HEARD_AT + CLOCK_TOLERANCE
        ended_at = started_at + timedelta(seconds=clock.elapsed_s)
        assert ended_at <= HEARD_AT + CLOCK_TOLERANCE
        assert started_at.date() + timedelta(days=local_days) <= date(2026, 11, 29)


@pytest.mark.parametrize(
    ("ahead", "is_ahead"),
    [
        (CLOCK_TOLERANCE, False),
        (CLOCK_TOLERANCE + timedelta(seconds=1), True),
        (timedelta(days=-20_000), False),
    ],
)
def test_machines_may_differ_by_minutes(ahead: timedelta, is_ahead: bool) -> None:
    started_at = HEARD_AT + ahead

    clock = judge_clock(
        started_at=started_at,
        local_day=started_at.date(),
        moving_s=0,
        elapsed_s=0,
        first_seen_at=HEARD_AT,
    )

    assert clock.is_ahead == is_ahead


@pytest.mark.usefixtures("athlete")
@given(
    ahead_s=st.integers(0, 5 * 10**9) | st.integers(0, 2 * 86_400),
    elapsed_s=st.integers(0, 365 * 86_400),
    local_ahead_s=st.integers(-14 * 3600, 5 * 10**9),
    is_hidden=st.booleans(),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_a_clock_says_nothing_is_planned_beyond_tomorrow(
    harness: Harness, ahead_s: int, elapsed_s: int, local_ahead_s: int, is_hidden: bool
) -> None:
    now = harness.clock()
    start = now + timedelta(seconds=ahead_s)
    local = now + timedelta(seconds=local_ahead_s)
    if is_hidden:
        local = local.replace(hour=0, minute=0, second=1)
    with harness.runtime.db.read_only() as session:
        number = 1000 + (session.scalar(select(func.count(Run.id))) or 0)
    record = {
        "id": number,
        "sport_type": "Run",
        "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "start_date_local": f"{local:%Y-%m-%dT%H:%M:%SZ}",
        "timezone": "(GMT+06:00) Asia/Dhaka",
        "utc_offset": 6 * 3600,
        "distance": 5000.0,
        "moving_time": 1800,
        "elapsed_time": elapsed_s,
    }

    save_pulled(harness.runtime, 1, build_page([record]))
    decide_runs.process_due(harness.runtime)

    tomorrow = now + timedelta(days=1)
    latest = find_latest_plan(harness)
    assert latest is None or latest <= tomorrow
    dashboard = load_dashboard(harness.runtime, 1)
    assert all(week.day <= tomorrow.date() for week in dashboard.weeks)
    assert all(run.local_day <= tomorrow.date() for run in dashboard.runs)
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.id)).all() == []
        if all(run.clock_ahead for run in session.scalars(select(Run))):
            assert session.get_one(Runner, 1).zone != "Asia/Dhaka"
