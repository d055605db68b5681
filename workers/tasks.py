"""One task per kind of work: the task names it, `sync` does it."""

from sync import work_status
from sync.conflicts import retry_conflicts
from sync.queue import Job, task_name
from workers.app import celery, get_runtime
from workers.jobs import PROCESSORS, PURGES


def _register(job: Job) -> None:
    @celery.task(name=task_name(job))
    def process_due() -> None:
        PROCESSORS[job](get_runtime())


for _job in Job:
    _register(_job)


@celery.task(name="tidy")
def tidy() -> None:
    """Remove what may no longer be kept; twice an hour does no harm.

    Then say how the work stands: all that a worker writes in an hour without work.
    """
    for purge in PURGES:
        retry_conflicts(purge)(get_runtime())
    work_status.log_status(get_runtime())


@celery.task(name="sweep")
def wake_all_queues() -> None:
    """Wake every kind of work: what a lost wake-up left behind is found here."""
    for job in Job:
        get_runtime().queue.wake(job)
