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
from typing import Any

import structlog
from celery.signals import task_postrun, worker_ready

from sync import log as logging
from sync import part_failures
from sync.errors import NotConfigured
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
    pool = arguments.pool
    if pool == "prefork" and not has_semaphores():
        pool = "threads"
    if pool == "prefork":
        preload_modules()
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
        logging.configure(load().log_format, part="worker")
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
