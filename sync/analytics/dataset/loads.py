"""Mileage over time: trailing loads, the runner's own usual, their own weeks."""

import numpy as np
import numpy.typing as npt

from sync.analytics.dataset.weeks import MONDAY
from sync.analytics.stats.series import Floats, Ints, validate_columns

WEEK_DAYS = 7
MONTH_DAYS = 28
USUAL_DAYS = 56


def compute_trailing_load(
    amounts: npt.ArrayLike,
    days: npt.ArrayLike,
    at_days: npt.ArrayLike,
    *,
    window_days: int = WEEK_DAYS,
) -> Floats:
    """Sum of `amounts`, shape (n,), in the `window_days` up to each of `at_days`.

    Whole local days; the day itself belongs to the window, so on a run's day
    that run is in it. Returns shape (m,) in the unit of `amounts`.
    """
    run_days, amount = validate_columns(days=days, amounts=amounts)
    (end_days,) = validate_columns(at_days=at_days)
    order = np.argsort(run_days, kind="stable")
    run_days, cumulative = (
        run_days[order],
        np.concatenate(([0.0], np.cumsum(amount[order]))),
    )
    newest = np.searchsorted(run_days, end_days, side="right")
    oldest = np.searchsorted(run_days, end_days - window_days, side="right")
    return np.asarray(cumulative[newest] - cumulative[oldest], dtype=np.float64)


def compute_usual_load(
    amounts: npt.ArrayLike, days: npt.ArrayLike, at_days: npt.ArrayLike
) -> Floats:
    """Find the usual amount a week: the mean of the 8 weeks up to each day.

    Shape (m,); nan before the runner has 8 weeks of history, because a short
    history would call every beginner's week unusual.
    """
    (end_days,) = validate_columns(at_days=at_days)
    (run_days,) = validate_columns(days=days)
    weekly = compute_trailing_load(amounts, days, end_days, window_days=USUAL_DAYS)
    weekly *= WEEK_DAYS / USUAL_DAYS
    first_day = run_days.min() if len(run_days) else np.inf
    return np.where(end_days - first_day + 1 >= USUAL_DAYS, weekly, np.nan)


def find_week_starts(days: npt.ArrayLike, *, first_weekday: int = MONDAY) -> Ints:
    """First day of the runner's week each day number lies in, shape (n,).

    Day numbers are Python's `date.toordinal()`; `first_weekday` is Python's
    too: Monday 0 … Sunday 6. No calendar weeks, so no week 53.
    """
    (numbers,) = validate_columns(days=days)
    day_numbers = np.floor(numbers).astype(np.int64)
    days_into_week = (day_numbers - 1 - first_weekday) % WEEK_DAYS
    return np.asarray(day_numbers - days_into_week, dtype=np.int64)
