"""Mileage is counted in the runner's own days and weeks."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.analytics.dataset.distances import (
    compute_trailing_load,
    compute_usual_load,
    find_week_starts,
)
from sync.analytics.dataset.weeks import MONDAY, SUNDAY, find_week_start

MONDAY_4_MAY = date(2026, 5, 4).toordinal()


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=40))
def test_a_trailing_load_is_the_plain_sum_of_its_days(
    runs: list[tuple[int, int]],
) -> None:
    days, amounts = [run[0] for run in runs], [run[1] for run in runs]

    load = compute_trailing_load(amounts, days, [40])

    assert load.tolist() == [sum(km for day, km in runs if 33 < day <= 40)]


@pytest.mark.parametrize("first", range(7))
def test_a_week_begins_on_the_runners_own_day(first: int) -> None:
    starts = find_week_starts(
        np.arange(MONDAY_4_MAY, MONDAY_4_MAY + 7), first_weekday=first
    )

    weekdays = {date.fromordinal(int(day)).weekday() for day in starts}

    assert weekdays == {first}


def test_a_short_history_has_no_usual_yet() -> None:
    days = np.arange(0, 70, 2)

    usual = compute_usual_load(np.full(len(days), 8.0), days, [30, 68])

    assert np.isnan(usual[0])
    assert usual[1] == 28 * 8 / 8


@pytest.mark.parametrize(("first", "began"), [(MONDAY, 27), (SUNDAY, 3)])
def test_a_day_and_its_number_lie_in_the_same_week(first: int, began: int) -> None:
    sunday = date(2026, 5, 3)

    found = find_week_start(sunday, first)

    assert found.day == began
    assert (
        find_week_starts([sunday.toordinal()], first_weekday=first) == found.toordinal()
    )
