"""Mileage over time: trailing loads, the runner's own usual, their own weeks."""

import numpy as np
import numpy.typing as npt

from sync.analytics.dataset.weeks import MONDAY
from sync.analytics.stats.series import Floats, Ints, columns

WEEK_DAYS = 7
MONTH_DAYS = 28
USUAL_DAYS = 56


def trailing_load(
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
    when, amount = columns(days=days, amounts=amounts)
    (ends,) = columns(at_days=at_days)
    order = np.argsort(when, kind="stable")
    when, so_far = when[order], np.concatenate(([0.0], np.cumsum(amount[order])))
    newest = np.searchsorted(when, ends, side="right")
    oldest = np.searchsorted(when, ends - window_days, side="right")
    return np.asarray(so_far[newest] - so_far[oldest], dtype=np.float64)


def own_usual(
    amounts: npt.ArrayLike, days: npt.ArrayLike, at_days: npt.ArrayLike
) -> Floats:
    """Find the usual amount a week: the mean of the 8 weeks up to each day.

    Shape (m,); nan before the runner has 8 weeks of history, because a short
    history would call every beginner's week unusual.
    """
    (ends,) = columns(at_days=at_days)
    (when,) = columns(days=days)
    weekly = trailing_load(amounts, days, ends, window_days=USUAL_DAYS)
    weekly *= WEEK_DAYS / USUAL_DAYS
    first = when.min() if len(when) else np.inf
    return np.where(ends - first + 1 >= USUAL_DAYS, weekly, np.nan)


def week_start(days: npt.ArrayLike, *, first_weekday: int = MONDAY) -> Ints:
    """First day of the runner's week each day number lies in, shape (n,).

    Day numbers are Python's `date.toordinal()`; `first_weekday` is Python's
    too: Monday 0 … Sunday 6. No calendar weeks, so no week 53.
    """
    (when,) = columns(days=days)
    whole = np.floor(when).astype(np.int64)
    since = (whole - 1 - first_weekday) % WEEK_DAYS
    return np.asarray(whole - since, dtype=np.int64)
