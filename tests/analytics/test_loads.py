"""Mileage is counted in the runner's own days and weeks."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.analytics.loads import (
    hours_since,
    own_usual,
    trailing_load,
    week_start,
    weekly,
)
from sync.analytics.weeks import MONDAY, SUNDAY, week_of

MONDAY_4_MAY = date(2026, 5, 4).toordinal()


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=40))
def test_a_trailing_load_is_the_plain_sum_of_its_days(
    runs: list[tuple[int, int]],
) -> None:
    days, amounts = [run[0] for run in runs], [run[1] for run in runs]

    load = trailing_load(amounts, days, [40])

    assert load.tolist() == [sum(km for day, km in runs if 33 < day <= 40)]


@pytest.mark.parametrize("first", range(7))
def test_a_week_begins_on_the_runners_own_day(first: int) -> None:
    starts = week_start(np.arange(MONDAY_4_MAY, MONDAY_4_MAY + 7), first_weekday=first)

    weekdays = {date.fromordinal(int(day)).weekday() for day in starts}

    assert weekdays == {first}


def test_weeks_without_a_run_are_weeks_too() -> None:
    days = [MONDAY_4_MAY, MONDAY_4_MAY + 6, MONDAY_4_MAY + 21]

    found = weekly([5, 7, 9], days)

    assert found.total.tolist() == [12, 0, 0, 9]
    assert found.count.tolist() == [2, 0, 0, 1]
    assert np.isnan(found.mean[1])


def test_a_sunday_week_takes_the_sunday_before() -> None:
    sunday = MONDAY_4_MAY - 1

    found = weekly([5, 7], [sunday, MONDAY_4_MAY], first_weekday=SUNDAY)

    assert found.start_day.tolist() == [sunday]


def test_weeks_go_on_through_today() -> None:
    found = weekly([5], [MONDAY_4_MAY], through=MONDAY_4_MAY + 14)

    assert found.total.tolist() == [5, 0, 0]


def test_no_run_makes_no_week() -> None:
    assert len(weekly([], []).total) == 0


def test_the_year_has_no_week_53_to_fall_into() -> None:
    new_year = [date(2026, 12, 31).toordinal(), date(2027, 1, 1).toordinal()]

    assert weekly([5, 7], new_year).total.tolist() == [12]


def test_a_short_history_has_no_usual_yet() -> None:
    days = np.arange(0, 70, 2)

    usual = own_usual(np.full(len(days), 8.0), days, [30, 68])

    assert np.isnan(usual[0])
    assert usual[1] == 28 * 8 / 8


def test_hours_count_from_the_last_end_before() -> None:
    ended_s = [10 * 3600, 2 * 3600]

    hours = hours_since(ended_s, [3600, 5 * 3600, 11 * 3600])

    assert np.isnan(hours[0])
    assert hours[1:].tolist() == [3, 1]


@pytest.mark.parametrize(("first", "began"), [(MONDAY, 27), (SUNDAY, 3)])
def test_a_day_and_its_number_lie_in_the_same_week(first: int, began: int) -> None:
    sunday = date(2026, 5, 3)

    found = week_of(sunday, first)

    assert found.day == began
    assert week_start([sunday.toordinal()], first_weekday=first) == found.toordinal()
