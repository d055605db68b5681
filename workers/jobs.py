"""The registry of jobs: what each kind of due work is done by.

A new kind of work is a member of `Job` and a line here; the schedule, the wake-ups
and the tests of every kind follow from it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sync import digest
from sync.inbox import handle
from sync.inbox import purge as inbox_purge
from sync.mail import deliver
from sync.portability import exports
from sync.queue import Job
from sync.runners import disconnect
from sync.runners import purge as runners_purge
from sync.runs import backfill, reconcile, retention
from sync.runtime import Runtime
from sync.surveys.sending import checkins, decide_runs
from workers.support_contacts import find_contacts

PROCESSORS: Mapping[Job, Callable[[Runtime], object]] = {
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

# What removes, each hour, what may no longer be kept.
PURGES: Sequence[Callable[[Runtime], object]] = (
    inbox_purge.purge_events,
    retention.purge_runs,
    runners_purge.purge_expired,
    exports.purge_expired,
)
