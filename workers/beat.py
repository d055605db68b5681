"""The schedule, and the process that keeps it: `python -m workers.beat`.

It knows no table and no task, only names and times, and so stays small.
"""

import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from time import monotonic, sleep
from typing import NoReturn

import structlog
from kombu.connection import Connection

from sync import heartbeats, part_failures
from sync import log as logging
from sync.heartbeats import Heartbeat
from sync.queue import BROKER_OPTIONS, publish_task
from sync.setting_urls import from_broker_url
from workers.clock_safe_schedule import ClockSafeSchedule

WAKE_INTERVAL = timedelta(minutes=1)
CLEANUP_INTERVAL = timedelta(hours=1)
# "sweep" wakes all queues, "tidy" removes what may no longer be kept.
SCHEDULE = {"sweep": WAKE_INTERVAL, "tidy": CLEANUP_INTERVAL}

# Nobody needs what has waited for a day.  Less would ask too much of the clocks: a
# message expires by the clock of the machine that reads it.
MESSAGE_LIFETIME = timedelta(days=1)
RETRY_S = 2.0

log = structlog.get_logger()


def main() -> int:
    parser = ArgumentParser(prog="python -m workers.beat", description=__doc__)
    parser.add_argument("--log-format", choices=("text", "json"), default="text")
    arguments = parser.parse_args()
    broker_url = os.environ.get(part_failures.BROKER_VARIABLE)
    if not broker_url:
        print("CELERY_BROKER_URL is not set; start `moodmiles beat`.", file=sys.stderr)  # noqa: T201
        return 1
    logging.configure(arguments.log_format, part="beat")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    try:
        run_beat(broker_url)
    except SystemExit:
        part_failures.record_wanted_end("beat", from_broker_url(broker_url))
        raise


def run_beat(broker_url: str) -> NoReturn:
    """Keep the schedule, in a process of its own or in a thread of a worker's."""
    broker = Connection(broker_url, transport_options=BROKER_OPTIONS)
    redis_url = from_broker_url(broker_url)

    def send_task(task: str) -> None:
        publish_task(broker, task, expires=MESSAGE_LIFETIME)
        heartbeats.record(redis_url, Heartbeat.SCHEDULE)

    run_schedule(ClockSafeSchedule(SCHEDULE, monotonic), send_task)


def run_schedule(
    schedule: ClockSafeSchedule, send_task: Callable[[str], None]
) -> NoReturn:
    """Send what is due for ever; the broker may be away for as long as it likes."""
    is_broker_away = False
    while True:
        try:
            for task in schedule.get_due():
                send_task(task)
                schedule.mark_done(task)
        # Whatever a broker answers, a schedule that ended would stop all work for good.
        except Exception as error:  # noqa: BLE001
            if not is_broker_away:
                log.warning("broker is away", error=type(error).__name__)
            is_broker_away = True
            sleep(RETRY_S)
        else:
            if is_broker_away:
                log.info("broker is back")
            is_broker_away = False
            sleep(schedule.wait_s())


def _exit(*_: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
