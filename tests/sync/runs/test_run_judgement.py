"""What counts of a run's times, and which runs nobody can have run."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from sync.analytics.dataset.overview import load_dashboard
from sync.models import Decision, Run
from sync.run_judgement import RunJudgement, can_run, compute_farthest_m, judge_run
from sync.simulator.records import Activity
from sync.surveys.answering.run_detail import load_run_detail
from sync.vocabulary import DecisionReason
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, linked_harness

__all__ = ["linked_harness"]

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR_S, DAY_S, WEEK_S = 3600, 86_400, 604_800
SEVEN_WEEKS_S = 4_208_365
BOTH_DATABASES = pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
    indirect=True,
)


def judge(
    km: float, moving_s: int, elapsed_s: int, *, heard_after_s: int = 10**8
) -> RunJudgement:
    return judge_run(
        started_at=NOON,
        local_day=NOON.date(),
        distance_m=1000 * km,
        moving_s=moving_s,
        elapsed_s=elapsed_s,
        first_seen_at=NOON + timedelta(seconds=heard_after_s),
    )


@pytest.mark.parametrize(
    ("km", "moving_s", "elapsed_s", "counted"),
    [
        (5, 1800, 2000, (1800, 2000)),  # nothing to doubt
        (5, 0, 1800, (1800, 1800)),  # no time in motion
        (5, 1, 1800, (1800, 1800)),
        (5, 400, 1800, (1800, 1800)),  # 45 km/h
        (5, 36_000, 1800, (1800, 1800)),  # longer than the whole
        (5, 1800, 60, (1800, 1800)),  # nor can the whole be true
        (5, 1800, 0, (1800, 1800)),
        (0, 0, 1800, (1800, 1800)),  # a treadmill without a sensor
        (0, 1800, 1900, (1800, 1900)),
        (5, 1800, SEVEN_WEEKS_S, (1800, 1800)),  # its clock jumped
        (5, 1800, 3 * DAY_S, (1800, 1800)),  # left on in a drawer
        (5, 1800, 20 * HOUR_S, (1800, 20 * HOUR_S)),
        (300, 40 * HOUR_S, 44 * HOUR_S, (40 * HOUR_S, 44 * HOUR_S)),
        (1000, 90 * HOUR_S, 144 * HOUR_S, (90 * HOUR_S, 144 * HOUR_S)),
        (0.1, 10, 12, (10, 12)),  # a sprint
        (20, 1800, 1900, (1800, 1900)),  # a ride is its rider's to correct
        (20, 60, 1800, (1800, 1800)),
        (0, 0, 0, (0, 0)),
    ],
)
def test_the_time_that_can_be_true_counts(
    km: float, moving_s: int, elapsed_s: int, counted: tuple[int, int]
) -> None:
    judgement = judge(km, moving_s, elapsed_s)

    assert (judgement.moving_s, judgement.elapsed_s) == counted
    assert not judgement.implausible


@pytest.mark.parametrize(
    ("km", "moving_s", "elapsed_s"),
    [
        (500, 3600, 3600),  # a drive
        (300, 3600, 4000),
        (60, 1800, 1900),
        (5, 0, 0),
        (5, 0, SEVEN_WEEKS_S),
        (5, 10**6, 10**6),
        (0, 2 * DAY_S, 2 * DAY_S),
        (9000, WEEK_S, WEEK_S),
        (9000, 300 * DAY_S, 300 * DAY_S),
    ],
)
def test_what_nobody_can_run_is_left_out(
    km: float, moving_s: int, elapsed_s: int
) -> None:
    assert judge(km, moving_s, elapsed_s).implausible


def test_no_more_counts_than_had_passed() -> None:
    judgement = judge(5, 0, 10 * HOUR_S, heard_after_s=2000)

    assert (judgement.moving_s, judgement.elapsed_s) == (2000, 2000)


@pytest.mark.parametrize(
    ("record_m", "seconds"),
    [
        (100, 9.58),
        (400, 43.03),
        (1000, 131.96),
        (5000, 755.36),
        (21_097.5, 3421),
        (42_195, 7235),
        (319_614, DAY_S),
        (1_045_520, 6 * DAY_S),
    ],
)
def test_every_record_can_be_run(record_m: float, seconds: float) -> None:
    assert can_run(record_m, int(seconds))


@given(
    st.floats(0, 10**7),
    st.integers(0, 366 * DAY_S),
    st.integers(0, 366 * DAY_S),
    st.integers(0, 400 * DAY_S),
)
def test_what_counts_is_one_of_the_reported_times(
    distance_m: float, moving_s: int, elapsed_s: int, heard_after_s: int
) -> None:
    judgement = judge(
        distance_m / 1000, moving_s, elapsed_s, heard_after_s=heard_after_s
    )

    assert judgement.moving_s in {moving_s, elapsed_s, heard_after_s}
    assert 0 <= judgement.elapsed_s <= max(moving_s, elapsed_s)
    if not judgement.implausible and not judgement.clock_ahead and distance_m:
        assert distance_m <= 3 * compute_farthest_m(judgement.moving_s)
        assert judgement.moving_s <= WEEK_S


@given(st.integers(0, WEEK_S), st.integers(1, DAY_S))
def test_more_time_allows_more_distance(seconds: int, more_s: int) -> None:
    assert compute_farthest_m(seconds) < compute_farthest_m(seconds + more_s)


def upload(harness: Harness, **fields: Any) -> Activity:
    """Upload a run with these fields, and let it be decided about."""
    run = replace(harness.finish_run(get_athlete(harness), silent=True), **fields)
    with harness.world.transaction():
        harness.world.put_activity(run)
    harness.deliver_event(get_athlete(harness), run.id, "create")
    harness.process_all_due()
    return run


def load_stored(harness: Harness, run: Activity) -> tuple[Run, str]:
    with harness.runtime.db.read_only() as session:
        stored = session.scalars(select(Run).where(Run.source_id == run.id)).one()
        reason = session.scalars(
            select(Decision.reason).where(Decision.run_id == stored.id)
        ).one()
    return stored, reason


@BOTH_DATABASES
def test_a_run_without_a_time_in_motion_is_a_run(linked_harness: Harness) -> None:
    run = upload(linked_harness, moving_s=0, elapsed_s=1800, distance_m=5000.0)

    stored, reason = load_stored(linked_harness, run)
    assert reason in {"after the run", "next morning"}
    assert (stored.moving_s, stored.elapsed_s) == (0, 1800)
    assert stored.trusted_moving_s == 1800
    [shown] = load_dashboard(linked_harness.runtime, 1).runs
    assert (shown.moving_s, shown.is_timed_by_elapsed) == (1800, True)


def test_a_treadmill_run_without_a_distance_is_asked_about(
    linked_harness: Harness,
) -> None:
    run = upload(linked_harness, moving_s=1800, elapsed_s=1800, distance_m=0.0)
    short = upload(linked_harness, moving_s=300, elapsed_s=300, distance_m=0.0)

    assert load_stored(linked_harness, run)[1] in {"after the run", "next morning"}
    assert load_stored(linked_harness, short)[1] == DecisionReason.TOO_SHORT


@BOTH_DATABASES
def test_a_drive_is_listed_with_the_reason_until_it_is_corrected(
    linked_harness: Harness,
) -> None:
    harness = linked_harness
    drive = upload(harness, moving_s=3600, elapsed_s=3600, distance_m=500_000.0)

    assert load_stored(harness, drive)[1] == DecisionReason.IMPLAUSIBLE
    dashboard = load_dashboard(harness.runtime, 1)
    assert len(dashboard.runs) == 0
    [left_out] = dashboard.left_out
    assert left_out.reason == DecisionReason.IMPLAUSIBLE
    assert sum(week.distance_m for week in dashboard.weeks) == 0
    detail = load_run_detail(harness.runtime, 1, left_out.id)
    assert detail is not None
    assert not detail.can_answer

    with harness.world.transaction():
        harness.world.put_activity(replace(drive, distance_m=9000.0))
    harness.deliver_event(get_athlete(harness), drive.id, "update", type="Run")
    harness.process_all_due()

    dashboard = load_dashboard(harness.runtime, 1)
    assert (len(dashboard.runs), len(dashboard.left_out)) == (1, 0)
    assert load_stored(harness, drive)[1] in {"after the run", "next morning"}
