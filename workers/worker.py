"""A worker process: `python -m workers.worker --pool prefork --concurrency 2`.

The same as `celery worker`, without the parts of its command line that cost
every worker a tenth of its memory.
"""

import gc
import os
import sys
from argparse import ArgumentParser
from importlib import import_module
from multiprocessing import Lock
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import structlog
from celery.signals import task_postrun, task_prerun, worker_ready

from sync import log as logging
from sync import part_failures
from sync.backoff import LEASE
from sync.errors import NotConfigured
from sync.queue import CeleryQueue
from sync.settings import load
from sync.surveys.instruments import load_library
from workers import beat
from workers.app import celery

log = structlog.get_logger()

# What takes seconds and tens of megabytes to load, and only some work needs.
FIGURES_MODULE, STRAVA_MODULE = (
    "sync.analytics.figures",
    "sync.strava.stravalib_adapter",
)
# Less than the lease, so that a thread that hangs over a row is gone before another
# begins with it.
THREAD_LIMIT_S = LEASE.total_seconds() * 0.8

CELERY_VARIABLES = (
    *("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL"),
    *("CELERY_RESULT_BACKEND", "CELERY_LOADER"),
)


def main() -> int:
    parser = ArgumentParser(prog="python -m workers.worker", description=__doc__)
    parser.add_argument("--pool", choices=("prefork", "threads"), default="prefork")
    parser.add_argument("--concurrency", type=int, default=2)
    parser.add_argument(
        "--pulse", type=Path, help="file to touch after each wake-up of all queues"
    )
    parser.add_argument("--beat", action="store_true", help="keep the schedule, too")
    arguments = parser.parse_args()
    # Celery would rather believe these than our settings: they are another program's.
    for name in CELERY_VARIABLES:
        os.environ.pop(name, None)
    if arguments.pulse is not None:
        touch_after_wakeups(arguments.pulse)
    if arguments.beat:
        start_schedule_thread()
    try:
        load_library(load().data_dir)  # a bad instrument is refused before any task
    except NotConfigured as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    logging.configure(load().log_format, part="worker")
    for name in CeleryQueue(load().redis_url).set_foreign_keys_aside():
        log.warning("another program's value in Redis was renamed", key=name)
    pool = arguments.pool
    if pool == "prefork" and not has_semaphores():
        pool = "threads"
    if pool == "prefork":
        preload_modules()
    else:
        end_when_task_hangs()
    worker = celery.Worker(
        pool_cls=pool,
        concurrency=arguments.concurrency,
        loglevel="INFO",
        quiet=True,
        # Workers of ours have nothing to tell each other; asking takes a second.
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
    )
    worker.start()
    exit_code: int = worker.exitcode or 0
    if not exit_code:
        part_failures.record_wanted_end("worker", load().redis_url)
    return exit_code


def has_semaphores() -> bool:
    """Whether processes of one pool can share locks here, or say why threads serve.

    Such locks are files in the memory of /dev/shm, which a hardened container may
    have taken away or mounted for reading.
    """
    try:
        Lock()
    except OSError as error:
        log.warning(
            "working in threads of one process: processes need a /dev/shm to write to; "
            "mount one, such as a tmpfs",
            error=type(error).__name__,
        )
        return False
    return True


def start_schedule_thread() -> None:
    """Be the one worker that also sends the wake-ups: this ends when it ends."""

    @worker_ready.connect(weak=False)
    def _start_beat(**_: object) -> None:
        Thread(target=keep_schedule, args=(load().broker_url,), daemon=True).start()


def keep_schedule(broker_url: str) -> None:
    """Keep the schedule; if that ends, end the worker, so that both start again."""
    try:
        beat.run_beat(broker_url)
    finally:
        log.error("schedule ended", error=type(sys.exception()).__name__)
        os._exit(1)


def end_when_task_hangs(*, limit_s: float = THREAD_LIMIT_S) -> None:
    """End this process when one of its threads does not come back.

    Celery ends a process of a pool that takes too long, and can end no thread.  What
    was under way is begun again by whoever starts in our place, and a row that hangs
    every time is given up as one that kills its workers is.
    """
    started_at: dict[str, tuple[str, float]] = {}

    @task_prerun.connect(weak=False)
    def _note_start(task_id: str, task: Any, **_: object) -> None:
        started_at[task_id] = str(task.name), monotonic()

    @task_postrun.connect(weak=False)
    def _forget_start(task_id: str, **_: object) -> None:
        started_at.pop(task_id, None)

    def watch() -> None:
        while True:
            sleep(min(limit_s / 4, 10))
            for name, moment in [*started_at.values()]:
                if monotonic() - moment > limit_s:
                    log.error("task hangs", task=name, limit_s=limit_s)
                    os._exit(1)

    Thread(target=watch, daemon=True, name="task-watch").start()


def preload_modules() -> None:
    """Load once what each process of a pool would sooner or later load for itself.

    A pool of threads is one process, which loads it when it first needs it.
    """
    for module in (FIGURES_MODULE, STRAVA_MODULE):
        import_module(module)
    gc.freeze()


def touch_after_wakeups(pulse_file: Path) -> None:
    """Let whoever watches see that wake-ups still arrive and are acted on."""

    @task_postrun.connect(weak=False)
    def _touch_pulse_file(task: Any, **_: object) -> None:
        if task.name == "sweep":
            pulse_file.touch()


if __name__ == "__main__":
    sys.exit(main())
