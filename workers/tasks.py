"""One task per kind of work: the task names it, `sync` does it."""

from typing import Any

from sync import heartbeats, work_status
from sync.conflicts import retry_conflicts
from sync.heartbeats import Heartbeat
from sync.queue import PROBE_TASK, Job, task_name
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
    runtime = get_runtime()
    for job in Job:
        runtime.queue.wake(job)
    heartbeats.record(runtime.settings.redis_url, Heartbeat.WORKERS)


@celery.task(name=PROBE_TASK, bind=True)
def answer_probe(task: Any) -> None:
    """Say that a wake-up has come: somebody tries the way that they all go."""
    heartbeats.record_probe(get_runtime().settings.redis_url, str(task.request.id))
