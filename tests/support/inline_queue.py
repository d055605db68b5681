"""A queue that does at once what each wake-up asks for."""

from collections.abc import Callable

from typing_extensions import override

from sync.queue import Job, Queue
from sync.runtime import Runtime
from workers.jobs import PROCESSORS


class InlineQueue(Queue):
    """Acts on each wake-up the moment it comes, as an idle second worker would.

    A kind of work that is being done already is looked at once more afterwards.
    `after` is told each kind that was looked at.
    """

    def __init__(self, after: Callable[[Job], None]) -> None:
        self.runtime: Runtime | None = None
        self._after = after
        self._busy: set[Job] = set()
        self._pending: set[Job] = set()

    @override
    def wake(self, job: Job, *, after_s: float = 0) -> None:
        if after_s:
            return  # the row says when, and whoever looks then finds it
        if job in self._busy:
            self._pending.add(job)
            return
        self._busy.add(job)
        self._process(job)
        while job in self._pending:
            self._process(job)
        self._busy.remove(job)

    @override
    def mark_started(self, job: Job) -> None:
        self._pending.discard(job)

    def _process(self, work: Job) -> None:
        assert self.runtime is not None
        PROCESSORS[work](self.runtime)
        self._after(work)
