"""What each wake-up sets off, by the kind of work, and a queue that does it at once."""

from collections.abc import Callable, Mapping
from functools import partial

from typing_extensions import override

from sync import digest
from sync.inbox import handle
from sync.mail import deliver
from sync.portability import exports
from sync.queue import Queue, Work
from sync.runners import disconnect
from sync.runs import backfill, reconcile
from sync.runtime import Runtime
from sync.surveys.sending import checkins, decide_runs
from workers.support_contacts import people_for

Drain = Callable[[Runtime], object]

DRAINS: Mapping[Work, Drain] = {
    Work.INBOX: handle.drain,
    Work.BACKFILL: backfill.drain,
    Work.SURVEYS: decide_runs.drain,
    Work.CHECKINS: checkins.drain,
    Work.DIGEST: digest.drain,
    Work.OUTBOX: partial(deliver.deliver_due, people_for=people_for),
    Work.SWEEP: reconcile.drain,
    Work.LEAVING: disconnect.resume,
    Work.EXPORT: exports.drain,
}


class ActingQueue(Queue):
    """Acts on each wake-up the moment it comes, as an idle second worker would.

    A kind of work that is being done already is looked at once more afterwards.
    `after` is told each kind that was looked at.
    """

    def __init__(self, after: Callable[[Work], None]) -> None:
        self.runtime: Runtime | None = None
        self._after = after
        self._busy: set[Work] = set()
        self._pending: set[Work] = set()

    @override
    def wake(self, work: Work, *, after_s: float = 0) -> None:
        if after_s:
            return  # the row says when, and whoever looks then finds it
        if work in self._busy:
            self._pending.add(work)
            return
        self._busy.add(work)
        self._act(work)
        while work in self._pending:
            self._act(work)
        self._busy.remove(work)

    @override
    def woken(self, work: Work) -> None:
        self._pending.discard(work)

    def _act(self, work: Work) -> None:
        assert self.runtime is not None
        DRAINS[work](self.runtime)
        self._after(work)
