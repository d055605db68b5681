"""How fast events are acknowledged: `python -m tests.bench.intake`.

The web as shipped, on SQLite, under an open load: each event has its moment, and
a late answer counts from that moment.  Then 10,000 events at 500 a second: all
must be acknowledged within 2 seconds, each stored once.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from queue import Queue
from random import Random
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter, sleep

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from host.entries import web_words
from sync.database import connect
from sync.models import Event, Runner
from tests.clock import NOON
from tests.conftest import KEY, migrate
from tests.servers import HOST, free_port, valkey, wait_for

RATES = (100, 300, 600, 900)
STEP_S = 4
BURST, BURST_RATE = 10_000, 500
LINES = 32
NUMBERS = count(1)
chance = Random(1)  # noqa: S311


def main() -> int:
    with TemporaryDirectory() as folder, valkey() as redis:
        database_url = f"sqlite:///{Path(folder) / 'moodmiles.sqlite3'}"
        migrate(database_url)
        with Session(connect(database_url)) as session, session.begin():
            session.add(
                Runner(athlete_id=7, created_at=NOON, vault_key=b"", preferences={})
            )
        with web(folder, database_url, redis.url) as port:
            for rate in RATES:
                waits = load(port, rate, rate * STEP_S)
                print(f"{rate:4}/s {_said(waits)}")
            began = perf_counter()
            waits = load(port, BURST_RATE, BURST)
            print(f"{BURST} at {BURST_RATE}/s {_said(waits)}")
            print(f"in {perf_counter() - began:.1f} s")
        sent = sum(RATES) * STEP_S + BURST
        with Session(connect(database_url)) as session:
            rows = session.scalar(select(func.count()).select_from(Event))
    print(f"{sent} sent, {rows} stored, the longest wait {max(waits):.2f} s")
    return int(rows != sent or max(waits) >= 2)


@contextmanager
def web(folder: str, database_url: str, redis_url: str) -> Iterator[int]:
    port = free_port()
    ours = {
        "MOODMILES_DATA_DIR": folder,
        "MOODMILES_DATABASE_URL": database_url,
        "MOODMILES_REDIS_URL": redis_url,
        "MOODMILES_SECRET_KEYS": KEY,
        "MOODMILES_STRAVA_WEBHOOK_SECRET": "hook",
        "MOODMILES_PUBLIC_URL": f"http://{HOST}:{port}",
    }
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", *web_words(HOST, port, 1)],
        env=os.environ | ours,
    )
    try:
        wait_for(lambda: _answers(port))
        yield port
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    line = HTTPConnection(HOST, port, timeout=1)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


def load(port: int, rate: int, events: int) -> list[float]:
    """Send events at chance moments and return how long each waited."""
    moments: Queue[float | None] = Queue()
    waits: list[float] = []
    at = perf_counter() + 0.2
    for _ in range(events):
        at += chance.expovariate(rate)
        moments.put(at)
    senders = [Thread(target=_send, args=(port, moments, waits)) for _ in range(LINES)]
    for _ in senders:
        moments.put(None)
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return sorted(waits)


def _send(port: int, moments: "Queue[float | None]", waits: list[float]) -> None:
    line = HTTPConnection(HOST, port, timeout=10)
    while (at := moments.get()) is not None:
        sleep(max(at - perf_counter(), 0))
        line.request(
            "POST",
            "/hooks/strava/hook",
            body=_event(),
            headers={"Content-Type": "application/json"},
        )
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200
        waits.append(perf_counter() - at)
    line.close()


def _event() -> str:
    return json.dumps(
        {
            "object_type": "activity",
            "object_id": next(NUMBERS),
            "aspect_type": "create",
            "owner_id": 7,
            "subscription_id": 1,
            "event_time": 1_777_000_000,
            "updates": {},
        }
    )


def _said(waits: list[float]) -> str:
    p50, p99 = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
    return f"p50 {p50:6.1f} ms  p99 {p99:6.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
