"""The schedule, and the process that keeps it: `python -m workers.beat`.

It knows no table and no task, only names and times, and so stays small.
"""

import os
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Literal

from celery import Celery
from celery.signals import setup_logging

from sync import log
from sync.queue import BROKER_OPTIONS
from workers.pace import Every, Scheduler

SWEEP_EVERY = timedelta(minutes=1)
TIDY_EVERY = timedelta(hours=1)

# Nobody needs what has waited for a day.  Less would ask too much of the clocks: a
# message expires by the clock of the machine that reads it.
KEPT = {"expires": timedelta(days=1).total_seconds()}

SCHEDULE = {
    "look for everything that is due": {
        "task": "sweep",
        "schedule": Every(SWEEP_EVERY),
        "options": KEPT,
    },
    "remove what may no longer be kept": {
        "task": "tidy",
        "schedule": Every(TIDY_EVERY),
        "options": KEPT,
    },
}

# Celery reads the broker's address from CELERY_BROKER_URL by itself.
celery = Celery("beat")
celery.conf.update(
    broker_transport_options=BROKER_OPTIONS,
    broker_connection_max_retries=None,
    beat_schedule=SCHEDULE,
)


def main() -> int:
    parser = ArgumentParser(prog="python -m workers.beat", description=__doc__)
    parser.add_argument("--schedule", required=True, help="file that remembers times")
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    if not os.environ.get("CELERY_BROKER_URL"):
        print("CELERY_BROKER_URL is not set; start `moodmiles beat`.", file=sys.stderr)  # noqa: T201
        return 1
    _log(arguments.log_format)
    celery.Beat(
        schedule=arguments.schedule,
        scheduler_cls=Scheduler,
        max_interval=SWEEP_EVERY.total_seconds(),
        quiet=True,
    ).run()
    return 0


def _log(style: Literal["text", "json"]) -> None:
    @setup_logging.connect(weak=False)
    def _our_logging(**_: object) -> None:
        log.configure(style, part="beat")


if __name__ == "__main__":
    sys.exit(main())
