"""The schedule, and the process that keeps it: `python -m workers.beat`.

It knows no table and no task, only names and times, and so stays small.
"""

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from time import monotonic, sleep
from typing import NoReturn

import structlog
from kombu.connection import Connection

from sync import log as logging
from sync.queue import BROKER_OPTIONS, send
from workers.clock_safe_schedule import Pace

SWEEP_EVERY = timedelta(minutes=1)
TIDY_EVERY = timedelta(hours=1)
# "sweep" looks for everything that is due, "tidy" removes what may no longer be kept.
SCHEDULE = {"sweep": SWEEP_EVERY, "tidy": TIDY_EVERY}

# Nobody needs what has waited for a day.  Less would ask too much of the clocks: a
# message expires by the clock of the machine that reads it.
KEPT = timedelta(days=1)
TRY_AGAIN_S = 2.0

log = structlog.get_logger()


def main() -> int:
    parser = ArgumentParser(prog="python -m workers.beat", description=__doc__)
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    broker_url = os.environ.get("CELERY_BROKER_URL")
    if not broker_url:
        print("CELERY_BROKER_URL is not set; start `moodmiles beat`.", file=sys.stderr)  # noqa: T201
        return 1
    logging.configure(arguments.log_format, part="beat")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    return run(broker_url)


def run(broker_url: str) -> NoReturn:
    """Keep the schedule, in a process of its own or in a thread of a worker's."""
    broker = Connection(broker_url, transport_options=BROKER_OPTIONS)
    keep(Pace(SCHEDULE, monotonic), partial(send, broker, expires=KEPT))


def keep(pace: Pace, send_task: Callable[[str], None]) -> NoReturn:
    """Send what is due for ever; the broker may be away for as long as it likes."""
    is_away = False
    while True:
        try:
            for task in pace.due():
                send_task(task)
                pace.done(task)
        # Whatever a broker answers, a schedule that ended would stop all work for good.
        except Exception as error:  # noqa: BLE001
            if not is_away:
                log.warning("broker is away", error=type(error).__name__)
            is_away = True
            sleep(TRY_AGAIN_S)
        else:
            if is_away:
                log.info("broker is back")
            is_away = False
            sleep(pace.wait_s())


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
