"""Stretches of four weeks, end to end from a runner's first run."""

from dataclasses import dataclass

import numpy as np

from sync.analytics.dataset.history import History
from sync.analytics.dataset.weeks import MONTH_DAYS
from sync.analytics.stats.series import Floats, Ints


@dataclass(frozen=True, slots=True)
class Stretches:
    """Finished stretches: they never change, and none counts a day twice.

    `starts`, shape (s,), are their first days.
    """

    starts: Ints

    def sum_by_stretch(self, days: Ints, amounts: Floats) -> Floats:
        """Add up `amounts`, shape (k,), at `days` in each stretch, shape (s,)."""
        index = self.find_index(days)
        in_range = index >= 0
        sums = np.bincount(index[in_range], amounts[in_range], len(self.starts))
        return np.asarray(sums, dtype=np.float64)

    def find_index(self, days: Ints) -> Ints:
        """Return the stretch of each day, shape (k,); -1 for none."""
        if not len(self.starts):
            return np.full(len(days), -1, dtype=np.int64)
        index = (days - self.starts[0]) // MONTH_DAYS
        is_known = (index >= 0) & (index < len(self.starts))
        return np.asarray(np.where(is_known, index, -1), dtype=np.int64)


def find_stretches(history: History) -> Stretches:
    days = history.runs.local_day
    if not len(days):
        return Stretches(np.zeros(0, dtype=np.int64))
    first_day = int(days.min())
    count = max(0, (history.today - first_day) // MONTH_DAYS)
    return Stretches(first_day + MONTH_DAYS * np.arange(count, dtype=np.int64))
