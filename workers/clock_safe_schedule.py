"""When a task is due again, by a monotonic clock."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta


class ClockSafeSchedule:
    """Each task is due at once, and then once in so long.

    Nothing is remembered of an earlier process: what was missed while none ran is
    made up for by the first time, and a task that runs too often does no harm.
    """

    def __init__(
        self, intervals: Mapping[str, timedelta], clock: Callable[[], float]
    ) -> None:
        self._intervals = intervals
        self._clock = clock
        self._due_at = dict.fromkeys(intervals, clock())

    def get_due(self) -> Sequence[str]:
        """Return the tasks that are due; each stays so until `mark_done`."""
        now = self._clock()
        return [task for task, due_at in self._due_at.items() if due_at <= now]

    def mark_done(self, task: str) -> None:
        self._due_at[task] = self._clock() + self._intervals[task].total_seconds()

    def wait_s(self) -> float:
        """Return for how long nothing is due."""
        return max(0.0, min(self._due_at.values()) - self._clock())
