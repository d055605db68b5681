"""The schedule keeps its pace whatever happens to the clock."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery
from redis import Redis

from tests.clock import NOON, HandClock
from tests.servers import Valkey, valkey
from workers.pace import Every, Scheduler

MINUTE = timedelta(minutes=1)
CLOCK = HandClock()


def now() -> datetime:
    """Say the time; the schedule's file keeps this function's name."""
    return CLOCK()


@pytest.mark.parametrize(
    ("last_run_ago", "is_due"),
    [
        (timedelta(seconds=30), False),
        (timedelta(minutes=2), True),
        # The clock was ahead and has been set back.
        (timedelta(hours=-2), True),
    ],
)
def test_what_is_due(last_run_ago: timedelta, is_due: bool) -> None:
    pace = Every(MINUTE, nowfun=lambda: NOON)

    found = pace.is_due(NOON - last_run_ago)

    assert found.is_due is is_due
    assert 0 < found.next <= MINUTE.total_seconds()


@pytest.fixture
def redis() -> Iterator[Valkey]:
    with valkey() as server:
        yield server


def test_a_clock_set_back_costs_no_more_than_one_period(
    redis: Valkey, tmp_path: Path
) -> None:
    entry = {"task": "sweep", "schedule": Every(MINUTE, nowfun=now)}
    with (
        Celery(broker=redis.url, set_as_current=False) as app,
        Redis.from_url(redis.url) as messages,
    ):
        app.conf.beat_schedule = {"sweep": entry}
        scheduler = Scheduler(app, schedule_filename=str(tmp_path / "schedule"))

        for hours in (0, 2, -3, 0):
            CLOCK.forward(hours=hours, minutes=1)
            while scheduler.tick() == 0:
                pass
        scheduler.close()

        assert messages.llen("celery") == 4
