"""Pages place their dots by the same sums that draw the lines through them."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.analytics.dataset.distances import (
    RunSeries,
    compute_month_loads,
    compute_week_loads,
    sum_answer_distances,
)
from sync.analytics.dataset.history import AnswerArrays, History, RunArrays
from sync.analytics.dataset.loads import MONTH_DAYS, compute_trailing_load

BEGAN_AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
Started = list[tuple[int, int, bool]]


def build_weeks(started: Started) -> tuple[RunSeries, list[int]]:
    """Make runs of 45 minutes from (hours since the last, kilometres, time known)."""
    runs, days, at = [], [], BEGAN_AT
    for number, (hours, km, is_known) in enumerate(started):
        at += timedelta(hours=hours)
        started_s, day = at.timestamp(), at.date().toordinal()
        ended_s = started_s + 45 * 60 if is_known else np.nan
        runs.append((number, started_s, ended_s, 1000.0 * km))
        days.append(day)
    return RunSeries._make(zip(*runs, strict=True) if runs else [()] * 4), days


def build_history(
    runs: RunSeries, on_days: list[int], earlier: dict[int, list[int]]
) -> History:
    """Hold the same runs as columns, with an answer to each."""
    count = len(runs.id)
    nothing, flags = np.full(count, np.nan), np.zeros(count, dtype=bool)
    days = np.array(on_days, dtype=np.int64)
    ids = np.arange(count, dtype=np.int64)
    kept = RunArrays(
        id=ids,
        started_s=np.array(runs.started_s, dtype=np.float64),
        ended_s=np.array(runs.ended_s, dtype=np.float64),
        local_day=days,
        start_hour=nothing,
        distance_m=np.array(runs.distance_m, dtype=np.float64),
        moving_s=nothing,
        is_race=flags,
        place=ids,
        is_with_others=flags,
    )
    pairs = [
        (own, other_id) for own, other_ids in earlier.items() for other_id in other_ids
    ]
    columns = (nothing,) * 6
    answers = AnswerArrays(ids, flags, nothing, days, *columns[1:], earlier_runs=pairs)
    return History(kept, answers, asked_count=count, today=int(days.max(initial=0)))


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 30), st.booleans())),
    st.integers(1, 3),
)
def test_dots_and_lines_add_up_the_same(started: Started, back: int) -> None:
    runs, days = build_weeks(started)
    earlier = {
        own: [
            one
            for one in range(max(0, own - back), own)
            if runs.started_s[own] - runs.started_s[one] < 36 * 3600
        ]
        for own in range(0, len(runs.id), 2)
    }

    found = build_history(runs, days, earlier)

    assert compute_week_loads(days, runs.distance_m) == pytest.approx(
        found.load_m.tolist()
    )
    assert sum_answer_distances(runs, earlier) == pytest.approx(found.about_m.tolist())


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 30), st.booleans())))
def test_28_days_add_up_the_same_on_any_day(started: Started) -> None:
    ran, on_days = build_weeks(started)
    runs = list(zip(map(date.fromordinal, on_days), ran.distance_m, strict=True))
    days = [BEGAN_AT.date() + timedelta(days=n) for n in range(0, 200, 3)]
    when = [day.toordinal() for day, _ in runs]
    ends = [day.toordinal() for day in days]

    metres = [metres for _, metres in runs]
    expected = compute_trailing_load(metres, when, ends, window_days=MONTH_DAYS)

    assert compute_month_loads(reversed(runs), days) == pytest.approx(expected.tolist())


def test_a_run_that_is_gone_or_far_away_adds_nothing() -> None:
    runs, _ = build_weeks([(0, 8, True), (80, 5, True)])

    assert sum_answer_distances(runs, {1: [0, 99], 77: [0]}) == [8000, 5000]
