"""What each wake-up sets off, by the kind of work, and a queue that does it at once."""

from collections.abc import Callable, Mapping
from functools import partial

from typing_extensions import override

from sync import digest
from sync.inbox import handle
from sync.mail import deliver
from sync.portability import exports
from sync.queue import Job, Queue
from sync.runners import disconnect
from sync.runs import backfill, reconcile
from sync.runtime import Runtime
from sync.surveys.sending import checkins, decide_runs
from workers.support_contacts import find_contacts

Drain = Callable[[Runtime], object]

PROCESSORS: Mapping[Job, Drain] = {
    Job.INBOX: handle.process_due,
    Job.BACKFILL: backfill.process_due,
    Job.SURVEYS: decide_runs.process_due,
    Job.CHECKINS: checkins.process_due,
    Job.DIGEST: digest.process_due,
    Job.OUTBOX: partial(deliver.deliver_due, find_contacts=find_contacts),
    Job.RECONCILE: reconcile.process_due,
    Job.REMOVALS: disconnect.process_removals,
    Job.EXPORT: exports.process_due,
}


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
