"""The weeks that hold check-ins, with their mean mood and what was run in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sync.analytics.panels.definition import (
    Flags,
    Floats,
    History,
    Ints,
    PairComparison,
    count_from_monday,
)

_SUM_DECIMALS = 6  # equal sums are equal numbers, whatever their order


@dataclass(frozen=True, slots=True)
class CheckInWeeks:
    """`starts` and `mood`, shape (w,), are of weeks with check-ins, oldest first."""

    history: History
    starts: Ints
    mood: Floats

    def count_run_days(self) -> Floats:
        """Return the days with a run of each week, shape (w,)."""
        run_weeks = self.history.find_week_starts(self.history.run_days)
        counts = np.searchsorted(run_weeks, self.starts, side="right")
        return np.asarray(
            counts - np.searchsorted(run_weeks, self.starts, side="left"),
            dtype=np.float64,
        )

    def sum_by_week(self, amounts: Floats) -> Floats:
        """Add up the amounts of the runs, shape (n,), of each week, shape (w,)."""
        return np.round(self._accumulate(np.add, amounts), _SUM_DECIMALS)

    def find_greatest_by_week(self, amounts: Floats) -> Floats:
        """Return the greatest amount, 0 or more, of each week, shape (w,)."""
        return self._accumulate(np.maximum, amounts)

    def _accumulate(self, combine: np.ufunc, amounts: Floats) -> Floats:
        run_weeks = self.history.find_week_starts(self.history.runs.local_day)
        index = np.searchsorted(self.starts, run_weeks)
        is_known = np.append(self.starts, -1)[index] == run_weeks
        totals = np.zeros(len(self.starts))
        combine.at(totals, index[is_known], amounts[is_known])
        return totals

    def pair(
        self,
        x: Floats,
        *,
        valid: Flags | None = None,
        display_groups: Mapping[str, Flags] | None = None,
    ) -> PairComparison:
        """Pair x, shape (w,), with the mood of the weeks that are `valid`."""
        mask = np.ones(len(self.starts), dtype=np.bool_) if valid is None else valid
        return PairComparison(
            x=x[mask],
            y=self.mood[mask],
            days=count_from_monday(self.starts[mask]),
            display_groups={
                label: flags[mask] for label, flags in (display_groups or {}).items()
            },
            observation_kind="weeks",
        )


def find_check_in_weeks(history: History) -> CheckInWeeks:
    """Return the weeks, as the runner begins them, that hold rest-day check-ins."""
    is_rest_day = history.is_rest_day
    weeks = history.find_week_starts(history.answers.local_day[is_rest_day])
    starts, index = np.unique(weeks, return_inverse=True)
    answer_counts = np.bincount(index, minlength=len(starts))
    totals = np.bincount(index, history.answers.mood[is_rest_day], len(starts))
    return CheckInWeeks(history, starts, totals / np.maximum(answer_counts, 1))
