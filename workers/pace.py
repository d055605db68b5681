"""A schedule that a clock set back does not stop.

Celery remembers by the clock when each task is due, and would wait until a clock
that was wrong has caught up with itself again.
"""

from datetime import datetime

from celery.beat import PersistentScheduler
from celery.schedules import schedstate, schedule
from typing_extensions import override


class Every(schedule):  # type: ignore[misc]
    """Due once in so long, and at once if it last ran in what is now the future."""

    @override
    def is_due(self, last_run_at: datetime) -> schedstate:
        if self.maybe_make_aware(last_run_at) > self.now():
            return schedstate(is_due=True, next=self.seconds)
        return super().is_due(last_run_at)


class Scheduler(PersistentScheduler):  # type: ignore[misc]
    """Asks each task anew whether it is due, whatever was foreseen."""

    @override
    def tick(self) -> float:
        self._heap = None
        wait_s: float = super().tick()
        return wait_s
