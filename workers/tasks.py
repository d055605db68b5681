"""One task per kind of work: the task names it, `sync` does it."""

from sync import digest, work_status
from sync.inbox import handle
from sync.inbox import purge as inbox_purge
from sync.mail import deliver
from sync.portability import exports
from sync.queue import Job, task_name
from sync.runners import disconnect
from sync.runners import purge as runners_purge
from sync.runs import backfill, reconcile, retention
from sync.surveys.sending import checkins, decide_runs
from workers.app import celery, get_runtime
from workers.support_contacts import find_contacts


@celery.task(name=task_name(Job.INBOX))
def process_inbox() -> None:
    handle.process_due(get_runtime())


@celery.task(name=task_name(Job.BACKFILL))
def process_backfill() -> None:
    backfill.process_due(get_runtime())


@celery.task(name=task_name(Job.SURVEYS))
def process_surveys() -> None:
    decide_runs.process_due(get_runtime())


@celery.task(name=task_name(Job.CHECKINS))
def process_checkins() -> None:
    checkins.process_due(get_runtime())


@celery.task(name=task_name(Job.DIGEST))
def process_digest() -> None:
    digest.process_due(get_runtime())


@celery.task(name=task_name(Job.OUTBOX))
def process_outbox() -> None:
    deliver.deliver_due(get_runtime(), find_contacts=find_contacts)


@celery.task(name=task_name(Job.RECONCILE))
def process_reconcile() -> None:
    reconcile.process_due(get_runtime())


@celery.task(name=task_name(Job.REMOVALS))
def process_removals() -> None:
    disconnect.process_removals(get_runtime())


@celery.task(name=task_name(Job.EXPORT))
def process_exports() -> None:
    exports.process_due(get_runtime())


@celery.task(name="tidy")
def tidy() -> None:
    """Remove what may no longer be kept; twice an hour does no harm.

    Then say how the work stands: all that a worker writes in an hour without work.
    """
    for module in (inbox_purge, retention, runners_purge, exports):
        module.tidy(get_runtime())
    work_status.log_status(get_runtime())


@celery.task(name="sweep")
def wake_all_queues() -> None:
    """Wake everybody: what a lost wake-up left behind is found here."""
    for job in Job:
        get_runtime().queue.wake(job)
