"""Distances added up: over trailing days, and in sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sync.analytics.dataset.weeks import (
    MONDAY,
    USUAL_DAYS,
    WEEK_DAYS,
    find_first_day_number,
)
from sync.analytics.stats.series import Floats, Ints, validate_columns
from sync.answer_window import SESSION_GAP

SESSION_GAP_S = SESSION_GAP.total_seconds()
_SUM_DECIMALS = 6


def compute_trailing_load(
    amounts: npt.ArrayLike,
    days: npt.ArrayLike,
    at_days: npt.ArrayLike,
    *,
    window_days: int = WEEK_DAYS,
) -> Floats:
    """Sum `amounts`, shape (n,), in the `window_days` up to each of `at_days`.

    Days are whole local days.  The day itself belongs to the window, so a run's day
    contains that run.  Returns shape (m,) in the unit of `amounts`.  Raises
    `InvalidSeries`.
    """
    run_days, amount = validate_columns(days=days, amounts=amounts)
    (end_days,) = validate_columns(at_days=at_days)
    order = np.argsort(run_days, kind="stable")
    run_days, cumulative = run_days[order], _accumulate(amount[order])
    newest = np.searchsorted(run_days, end_days, side="right")
    oldest = np.searchsorted(run_days, end_days - window_days, side="right")
    return _subtract_sums(cumulative[newest], cumulative[oldest])


def compute_usual_load(
    amounts: npt.ArrayLike, days: npt.ArrayLike, at_days: npt.ArrayLike
) -> Floats:
    """Return the usual amount a week: the mean of the 8 weeks up to each day.

    Shape (m,); nan before the runner has 8 weeks of history, because a short
    history would make every beginner's week unusual.
    """
    (end_days,) = validate_columns(at_days=at_days)
    (run_days,) = validate_columns(days=days)
    weekly = compute_trailing_load(amounts, days, end_days, window_days=USUAL_DAYS)
    weekly *= WEEK_DAYS / USUAL_DAYS
    first_day = run_days.min() if len(run_days) else np.inf
    return np.where(end_days - first_day + 1 >= USUAL_DAYS, weekly, np.nan)


def compute_week_loads(amounts: npt.ArrayLike, days: npt.ArrayLike) -> Floats:
    """Sum the 7 local days up to and including each run, shape (n,).

    Runs come oldest start first; later runs of the same day do not count.  Further
    east or west their days may be in another order.
    """
    run_days, amount = validate_columns(days=days, amounts=amounts)
    order = np.argsort(run_days, kind="stable")
    run_days, cumulative = run_days[order], _accumulate(amount[order])
    oldest = np.searchsorted(run_days, run_days - WEEK_DAYS, side="right")
    loads = np.empty_like(amount)
    loads[order] = _subtract_sums(cumulative[1:], cumulative[oldest])
    return loads


def find_week_starts(days: npt.ArrayLike, *, first_weekday: int = MONDAY) -> Ints:
    """Return the first day of the runner's week of each day number, shape (n,).

    `first_weekday` is Python's: Monday 0 … Sunday 6.
    """
    (numbers,) = validate_columns(days=days)
    return find_first_day_number(np.floor(numbers).astype(np.int64), first_weekday)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Runs that are less than three hours apart, as one session each.

    `starts`, shape (n,), is the first row of each run's session.
    """

    starts: Ints

    def accumulate(self, amounts: Floats) -> Floats:
        """Sum `amounts` in its session up to and including each run, shape (n,)."""
        cumulative = _accumulate(amounts)
        return _subtract_sums(cumulative[1:], cumulative[self.starts])

    def sum_answers(
        self, amounts: Floats, run: Ints, earlier_runs: Sequence[tuple[int, int]]
    ) -> Floats:
        """Sum the `amounts` that each answer is about, shape (m,); nan without a run.

        `run`, shape (m,), is the row of each answer's run, -1 for none.
        `earlier_runs` lists (answer, run): runs of the day that an answer is about
        too.  Of each of their sessions the last one counts, up to its end.
        """
        accumulated = self.accumulate(amounts)
        totals = np.append(accumulated, np.nan)[run]
        last_runs: dict[tuple[int, int], int] = {}
        for answer, row in earlier_runs:
            own_run, session = run[answer], int(self.starts[row])
            if own_run >= 0 and session != self.starts[own_run]:
                key = answer, session
                last_runs[key] = max(row, last_runs.get(key, row))
        for (answer, _), row in last_runs.items():
            totals[answer] += accumulated[row]
        return totals


def find_sessions(started_s: Floats, ended_s: Floats) -> Sessions:
    """Group runs, shape (n,), oldest start first, into sessions.

    A run within three hours of the last one's end belongs to its session; after a
    run without a known end, which is nan, a new session begins.
    """
    gap_s = started_s[1:] - ended_s[:-1]
    is_first = np.concatenate(([True], ~(gap_s < SESSION_GAP_S)))[: len(started_s)]
    return Sessions(np.asarray(np.flatnonzero(is_first)[np.cumsum(is_first) - 1]))


def _accumulate(amounts: Floats) -> Floats:
    return np.concatenate(([0.0], np.cumsum(amounts)))


def _subtract_sums(later: Floats, earlier: Floats) -> Floats:
    """Subtract cumulative sums, so that equal distances are equal numbers.

    Their rounding errors differ with all that was run before, and would put ranks
    between runs that are ties.
    """
    return np.round(later - earlier, _SUM_DECIMALS)
