"""Runs are held as columns; whoever asks for one gets a row of its own values."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from sync.analytics.dataset.load import RunColumns
from sync.analytics.dataset.overview import load_dashboard
from sync.analytics.dataset.run_annotations import NO_ANNOTATION, load_annotations
from sync.analytics.dataset.run_rows import DerivedColumns, RunRow, RunTable
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture

FIRST_AT = datetime(2026, 3, 1, tzinfo=UTC)
# Hours since the last run began, and how far the clocks there are from UTC.
travels = st.lists(st.tuples(st.integers(0, 40), st.integers(-12, 14)), max_size=12)


def round_trip(runs: list[tuple[int, int]]) -> RunTable:
    started, days, at = [], [], FIRST_AT
    for hours, offset in runs:
        at += timedelta(hours=hours)
        started.append(at.timestamp())
        days.append((at + timedelta(hours=offset)).toordinal())
    ids, count = list(range(len(runs))), len(runs)
    whole, metres = [0] * count, [0.0] * count
    stored = RunColumns(ids, started, whole, days, metres, whole, whole, whole)
    nobody = [None] * count
    return RunTable(
        stored,
        DerivedColumns(
            metres,
            metres,
            [{}] * count,
            nobody,
            nobody,
            [False] * count,
            [False] * count,
        ),
    )


@given(travels, st.integers(0, 9))
@example([(15, 14)], 1)
@example([(25, -12)], 1)
def test_later_days_are_found_wherever_their_runs_were(
    runs: list[tuple[int, int]], days: int
) -> None:
    table, first = round_trip(runs), FIRST_AT.date() + timedelta(days=days)

    found = [run.id for run in table.since(first)]

    assert found == [run.id for run in table if run.local_day >= first]


def test_a_row_has_the_value_of_each_column() -> None:
    assert RunRow._fields == (
        *("day_number" if one == "local_day" else one for one in RunColumns._fields),
        *DerivedColumns._fields,
    )


def test_one_row_is_the_same_as_that_of_all(runtime: Runtime) -> None:
    runner_id = build_fixture(runtime, "answers-3").runner_id or 0

    runs = load_dashboard(runtime, runner_id).runs

    assert [runs[place] for place in range(len(runs))] == list(runs)
    assert runs[-1].local_day > date(2000, 1, 1)
    assert [run.mood is not None for run in runs[-3:]] == [True] * 3


def test_nobody_is_told_beside_another_ones_runs(runtime: Runtime) -> None:
    mine = build_fixture(runtime, "answers-3").runner_id or 0
    other = build_fixture(runtime, "answers-500").runner_id or 0
    ids = load_dashboard(runtime, mine).runs.stored.id

    assert set(load_annotations(runtime, mine, ids)) == set(ids)
    assert load_annotations(runtime, other, ids) == {}
    assert load_annotations(runtime, other, ids)[ids[0]] == NO_ANNOTATION
