"""One task per kind of work: the task names it, `sync` does it."""

from sync import digest, work_status
from sync.inbox import handle
from sync.inbox import purge as inbox_purge
from sync.mail import deliver
from sync.portability import exports
from sync.queue import Work, task_name
from sync.runners import disconnect
from sync.runners import purge as runners_purge
from sync.runs import backfill, reconcile, retention
from sync.surveys.sending import checkins, decide_runs
from workers.app import celery, runtime
from workers.support_contacts import people_for


@celery.task(name=task_name(Work.INBOX))
def drain_inbox() -> None:
    handle.drain(runtime())


@celery.task(name=task_name(Work.BACKFILL))
def drain_backfill() -> None:
    backfill.drain(runtime())


@celery.task(name=task_name(Work.SURVEYS))
def drain_surveys() -> None:
    decide_runs.drain(runtime())


@celery.task(name=task_name(Work.CHECKINS))
def drain_checkins() -> None:
    checkins.drain(runtime())


@celery.task(name=task_name(Work.DIGEST))
def drain_digest() -> None:
    digest.drain(runtime())


@celery.task(name=task_name(Work.OUTBOX))
def drain_outbox() -> None:
    deliver.deliver_due(runtime(), people_for=people_for)


@celery.task(name=task_name(Work.SWEEP))
def drain_sweep() -> None:
    reconcile.drain(runtime())


@celery.task(name=task_name(Work.LEAVING))
def drain_leaving() -> None:
    disconnect.resume(runtime())


@celery.task(name=task_name(Work.EXPORT))
def drain_export() -> None:
    exports.drain(runtime())


@celery.task(name="tidy")
def tidy() -> None:
    """Remove what may no longer be kept; twice an hour does no harm.

    Then say how the work stands: all that a worker writes in an hour without work.
    """
    for part in (inbox_purge, retention, runners_purge, exports):
        part.tidy(runtime())
    work_status.report(runtime())


@celery.task(name="sweep")
def sweep() -> None:
    """Wake everybody: what a lost wake-up left behind is found here."""
    for work in Work:
        runtime().queue.wake(work)
