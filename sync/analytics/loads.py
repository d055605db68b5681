"""Mileage over time: trailing loads, the runner's own usual, their own weeks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.series import Floats, Ints, columns
from sync.analytics.weeks import MONDAY

WEEK_DAYS = 7
MONTH_DAYS = 28
USUAL_DAYS = 56
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Weeks:
    """One value a week, oldest first; weeks without any are zero or nan.

    start_day   first local day of the week, as a day number, shape (w,)
    total       sum of the values in it, shape (w,)
    count       how many there were, shape (w,)
    """

    start_day: Ints
    total: Floats
    count: Ints

    @property
    def mean(self) -> Floats:
        """Mean of a week's values, nan for a week without any, shape (w,)."""
        nothing = np.full(len(self.count), np.nan)
        some = self.count > 0
        return np.asarray(np.divide(self.total, self.count, out=nothing, where=some))


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


def weekly(
    amounts: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    first_weekday: int = MONDAY,
    through: int | None = None,
) -> Weeks:
    """Add up `amounts`, shape (n,), in the runner's weeks, empty weeks included.

    The last week is that of `through` (a day number) or of the last value.
    """
    when, amount = columns(days=days, amounts=amounts)
    if not len(when):
        nothing = np.zeros(0, dtype=np.int64)
        return Weeks(nothing, np.zeros(0), nothing)
    starts = week_start(when, first_weekday=first_weekday)
    last = starts.max()
    if through is not None:
        last = max(last, week_start([through], first_weekday=first_weekday)[0])
    index = (starts - starts.min()) // WEEK_DAYS
    many = int((last - starts.min()) // WEEK_DAYS) + 1
    return Weeks(
        start_day=starts.min() + WEEK_DAYS * np.arange(many, dtype=np.int64),
        total=np.bincount(index, weights=amount, minlength=many).astype(np.float64),
        count=np.bincount(index, minlength=many).astype(np.int64),
    )


def hours_since(ended_s: npt.ArrayLike, at_s: npt.ArrayLike) -> Floats:
    """Hours from the last run's end to each moment, shape (m,); nan before any.

    Both in seconds since the epoch; `ended_s`, shape (n,), in any order.
    """
    (moments,) = columns(at_s=at_s)
    (ends,) = columns(ended_s=ended_s)
    ends = np.sort(ends)
    place = np.searchsorted(ends, moments, side="right") - 1
    last = np.concatenate((ends, [np.nan]))[place]
    return np.asarray((moments - last) / _SECONDS_PER_HOUR, dtype=np.float64)
