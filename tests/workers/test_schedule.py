"""The schedule keeps its pace, whatever happens to the clock or to the broker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import setup_logging
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis import Redis, ResponseError

from sync.queue import publish_task
from tests.support.paths import ROOT
from tests.support.servers import ValkeyServer, run_valkey, wait_until
from workers.beat import run_schedule
from workers.clock_safe_schedule import ClockSafeSchedule

pytestmark = pytest.mark.processes

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
UNWANTED = ("celery", "flask", "numpy", "pydantic", "sqlalchemy")


class ManualSeconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> ManualSeconds:
    return ManualSeconds()


@pytest.fixture
def pace(clock: ManualSeconds) -> ClockSafeSchedule:
    return ClockSafeSchedule({"sweep": MINUTE, "tidy": HOUR}, clock)


@pytest.fixture
def redis() -> Iterator[ValkeyServer]:
    with run_valkey() as server:
        yield server


def test_everything_is_due_at_once(pace: ClockSafeSchedule) -> None:
    assert pace.get_due() == ["sweep", "tidy"]
    assert pace.wait_s() == 0


def test_each_task_is_due_again_after_its_period(
    pace: ClockSafeSchedule, clock: ManualSeconds
) -> None:
    for task in pace.get_due():
        pace.mark_done(task)

    assert pace.get_due() == []
    assert pace.wait_s() == 60
    clock.at += 60
    assert pace.get_due() == ["sweep"]
    clock.at += 3540
    assert pace.get_due() == ["sweep", "tidy"]


class StopLoop(BaseException):
    """The test has seen what it wanted to see."""


@pytest.mark.parametrize(
    "refusal", [OperationalError(), ResponseError("OOM"), RuntimeError()], ids=repr
)
def test_what_could_not_be_sent_stays_due(
    pace: ClockSafeSchedule, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    monkeypatch.setattr("workers.beat.RETRY_S", 0)
    sent: list[str] = []
    tries = count(1)

    def send_task(task: str) -> None:
        if task == "tidy" and next(tries) < 3:
            raise refusal
        sent.append(task)
        if task == "tidy":
            raise StopLoop

    with pytest.raises(StopLoop):
        run_schedule(pace, send_task)

    assert sent == ["sweep", "tidy"]


@contextmanager
def run_beat(url: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.beat"],
        cwd=ROOT,
        env=os.environ | {"CELERY_BROKER_URL": url},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def count_waiting(redis: ValkeyServer) -> int:
    with Redis.from_url(redis.url) as messages:
        return int(messages.llen("celery"))


def test_the_process_sends_what_a_worker_understands(redis: ValkeyServer) -> None:
    with run_beat(redis.url) as process:
        wait_until(lambda: count_waiting(redis) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    names, expiries = [], []
    with Connection(redis.url) as broker, broker.SimpleQueue("celery") as queue:
        for _ in range(2):
            message = queue.get(timeout=5)
            message.ack()
            names.append(message.headers["task"])
            expiries.append(datetime.fromisoformat(message.headers["expires"]))
    in_a_day = datetime.now(UTC) + timedelta(days=1)
    assert names == ["sweep", "tidy"]
    assert all(abs(at - in_a_day) < MINUTE for at in expiries)


def test_the_broker_may_come_later() -> None:
    late = ValkeyServer()
    with run_beat(late.url) as process:
        assert process.stderr is not None
        assert "broker is away" in process.stderr.readline()
        late.start()
        try:
            wait_until(lambda: count_waiting(late) == 2)
        finally:
            late.stop()


def test_the_schedule_loads_nothing_that_it_does_not_need() -> None:
    code = "import sys, workers.beat; print(*sys.modules)"
    modules = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert not [name for name in UNWANTED if name in modules]


def test_a_worker_takes_our_messages(
    redis: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wake-ups are Celery's messages without Celery: it must read them all."""
    app = Celery(broker=redis.url, set_as_current=False)
    seen: list[str] = []

    def note(name: str) -> None:
        def task() -> None:
            seen.append(name)

        app.task(task, name=name, shared=False)

    note("in time")
    note("too late")
    with Connection(redis.url) as broker:
        publish_task(broker, "too late", expires=timedelta(seconds=-1))
        publish_task(broker, "in time", after_s=1, expires=MINUTE)

        # Ours would turn the log of this whole process into a worker's.
        monkeypatch.setattr(setup_logging, "receivers", [])
        with start_worker(app, pool="solo", perform_ping_check=False):
            wait_until(lambda: seen == ["in time"])
    app.close()
