"""Pages and figures add up the same distances: the plain sums of their days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.analytics.dataset.build_history import HistoryContext, build_history
from sync.analytics.dataset.history import History
from sync.analytics.dataset.load import (
    MOOD_AFTER_RUN,
    START_KNOWN,
    AnswerColumns,
    RunColumns,
    RunnerRows,
)
from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import build_run_table

BEGAN_AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
RUN_S = 45 * 60
Started = list[tuple[int, int, bool]]
started_runs = st.lists(
    st.tuples(st.integers(1, 60), st.integers(1, 30), st.booleans()), max_size=20
)


def build_rows(started: Started, earlier: dict[int, list[int]]) -> RunnerRows:
    """Make runs of 45 minutes from (hours since the last, kilometres, time known).

    Each has an answer, which is about the earlier runs too.
    """
    starts, days, at = [], [], BEGAN_AT
    for hours, _, _ in started:
        at += timedelta(hours=hours)
        starts.append(at.timestamp())
        days.append(at.date().toordinal())
    ids, count = list(range(1, len(started) + 1)), len(started)
    runs = RunColumns(
        id=ids,
        started_s=starts,
        offset_s=[0] * count,
        local_day=days,
        distance_m=[1000.0 * km for _, km, _ in started],
        moving_s=[RUN_S] * count,
        elapsed_s=[RUN_S] * count,
        flags=[START_KNOWN if is_known else 0 for _, _, is_known in started],
    )
    tags = [
        f'{{"earlier_runs": {[row + 1 for row in earlier[row]]}}}'
        if earlier.get(row)
        else None
        for row in range(count)
    ]
    answers = AnswerColumns(
        run_id=ids,
        answered_s=[start + 2 * RUN_S for start in starts],
        mood_source=[MOOD_AFTER_RUN] * count,
        sealed=[b""] * count,
        tags=tags,
        minutes_since_end=[45] * count,
    )
    return RunnerRows(runs, answers, [{"mood": 1}] * count)


def build_arrays(rows: RunnerRows) -> History:
    context = HistoryContext(
        ZoneInfo("UTC"), asked_count=0, today=max(rows.runs.local_day, default=0)
    )
    return build_history(rows, context=context)


def sum_session(rows: RunnerRows, row: int) -> tuple[int, float]:
    """Return the first run of a run's session, and its metres up to the run."""
    runs, first = rows.runs, row
    total = runs.distance_m[row]
    while first and runs.flags[first - 1] & START_KNOWN:
        ended_s = runs.started_s[first - 1] + runs.elapsed_s[first - 1]
        if runs.started_s[first] - ended_s >= 3 * 3600:
            break
        first -= 1
        total += runs.distance_m[first]
    return first, total


def sum_plainly(rows: RunnerRows, earlier: dict[int, list[int]]) -> list[float]:
    totals = []
    for row in range(len(rows.runs.id)):
        own_session, total = sum_session(rows, row)
        others = {sum_session(rows, one)[0]: one for one in earlier.get(row, [])}
        others.pop(own_session, None)
        totals.append(total + sum(sum_session(rows, one)[1] for one in others.values()))
    return totals


@given(started_runs, st.integers(1, 3))
def test_dots_and_lines_add_up_the_same_plain_sums(started: Started, back: int) -> None:
    alone = build_rows(started, {})
    starts, days = alone.runs.started_s, alone.runs.local_day
    earlier = {
        own: [
            one
            for one in range(max(0, own - back), own)
            if starts[own] - starts[one] < 36 * 3600
        ]
        for own in range(0, len(starts), 2)
    }
    rows = build_rows(started, earlier)

    dots, lines = build_run_table(rows, now=BEGAN_AT).derived, build_arrays(rows)

    week_m = [
        sum(
            metres
            for other, metres in enumerate(rows.runs.distance_m[: row + 1])
            if days[row] - 7 < days[other] <= days[row]
        )
        for row in range(len(days))
    ]
    about_m = sum_plainly(rows, earlier)
    assert dots.week_m == lines.load_m.tolist() == pytest.approx(week_m)
    assert dots.about_m == lines.about_m.tolist() == pytest.approx(about_m)


def build_dashboard(started: Started, *, today: date) -> Dashboard:
    table = build_run_table(build_rows(started, {}), now=BEGAN_AT)
    return Dashboard(
        runs=table,
        left_out=[],
        weeks=[],
        today=today,
        answered_count=0,
        first_weekday=0,
        state=None,
        valid_until=BEGAN_AT,
    )


@given(started_runs)
def test_28_days_add_up_on_any_day(started: Started) -> None:
    days = [BEGAN_AT.date() + timedelta(days=n) for n in range(0, 200, 3)]
    dashboard = build_dashboard(started, today=days[-1])
    runs = dashboard.runs.stored

    expected = [
        sum(
            metres
            for ran_on, metres in zip(runs.local_day, runs.distance_m, strict=True)
            if day.toordinal() - 28 < ran_on <= day.toordinal()
        )
        for day in days
    ]

    assert dashboard.compute_month_loads(days) == pytest.approx(expected)


def test_a_usual_week_needs_eight_weeks_of_runs() -> None:
    every_other_day = [(48, 8, True)] * 35
    last_run = BEGAN_AT.date() + timedelta(days=70)

    full = build_dashboard(every_other_day, today=last_run)
    short = build_dashboard(every_other_day[:20], today=last_run - timedelta(days=30))

    assert full.usual_week_m == 28 * 8000 / 8
    assert np.isnan(short.usual_week_m)
