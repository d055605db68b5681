"""A worker writes a line when something was done, and none when nothing was."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.models import Model, Run, Runner
from tests.conftest import KEY
from tests.support.live_instance import wait_for
from tests.support.paths import ROOT
from tests.support.recording_queue import RecordingQueue
from tests.support.servers import HOST, run_valkey

pytestmark = pytest.mark.processes

SWEEPS = 4


class LiveWorker:
    """A real worker on real tables and a real Redis, and what it wrote."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        url = f"sqlite:///{folder / 'moodmiles.sqlite3'}"
        self.db = Database(open_engine(url), RecordingQueue())
        Model.metadata.create_all(self.db.engine)
        self._pulse = folder / "pulse"
        self._log = folder / "worker.log"
        self._redis_url = redis_url
        settings = {
            "DATABASE_URL": url,
            "DATA_DIR": str(folder),
            "LOG_FORMAT": "json",
            "MAIL_FROM": "Moodmiles <moodmiles@example.org>",
            "PUBLIC_URL": "https://run.example",
            "REDIS_URL": redis_url,
            "SECRET_KEYS": KEY,
            "SMTP_URL": f"smtp://{HOST}:1",
        }
        words = ["--pool", "threads", "--concurrency", "4", "--pulse", str(self._pulse)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "workers.worker", *words],
                cwd=ROOT,
                env=os.environ
                | {f"MOODMILES_{name}": value for name, value in settings.items()},
                stderr=log,
                stdout=log,
            )

    def sweep(self) -> None:
        """Send the minute's message and wait until it was acted on."""
        before = self._swept_at()
        self._send("sweep")
        wait_for(lambda: self._swept_at() != before)

    def tidy(self) -> None:
        self._send("tidy")

    def _send(self, task: str) -> None:
        with Celery(broker=self._redis_url, set_as_current=False) as beat:
            beat.send_task(task, ignore_result=True)

    def order_to_shut_down(self) -> object:
        """Broadcast what Celery's remote control sends; return who answers a ping."""
        with Celery(broker=self._redis_url, set_as_current=False) as stranger:
            answers = stranger.control.ping(timeout=2)
            stranger.control.shutdown()
            return answers

    def _swept_at(self) -> int:
        return self._pulse.stat().st_mtime_ns if self._pulse.exists() else 0

    def has_written(self, text: str) -> bool:
        return text in self._log.read_text()

    def end(self) -> list[dict[str, Any]]:
        """Let it finish what was sent, and return what it has written to the end."""
        with Redis.from_url(self._redis_url) as redis:
            wait_for(lambda: not redis.llen("celery") and not _pending(redis))
        self._process.terminate()
        self._process.wait(30)
        lines = self._log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self.db.engine.dispose()


def _pending(redis: "Redis") -> bool:
    return bool(list(redis.scan_iter("moodmiles:pending:*")))


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[LiveWorker]:
    with run_valkey() as redis:
        running = LiveWorker(tmp_path, redis.url)
        yield running
        running.kill()


def list_events(lines: list[dict[str, Any]]) -> list[str]:
    """Return what was said between the worker's start and its end."""
    names = [str(line["event"]) for line in lines]
    ready = next(n for n, text in enumerate(names) if text.endswith(" ready."))
    return [text for text in names[ready + 1 :] if "Warm shutdown" not in text]


def undecided_run(db: Database) -> int:
    """Store a run of last week that nobody has decided about yet."""
    now = datetime.now(UTC)
    with db.transaction() as session:
        runner = Runner(created_at=now, vault_key=Sealer([KEY]).new_vault_key())
        session.add(runner)
        session.flush()
        session.add(
            Run(
                runner_id=runner.id,
                source="strava",
                source_id=1,
                sport="Run",
                started_at=now - timedelta(days=7),
                start_known=True,
                offset_s=0,
                undecided_since=now,
                local_day=(now - timedelta(days=7)).date(),
                distance_m=5000.0,
                moving_s=1800,
                elapsed_s=1800,
                treadmill=False,
                manual=False,
                race=False,
                with_others=False,
                visibility="everyone",
                fetched_at=now,
            )
        )
        return runner.id


def test_an_idle_hour_leaves_one_line_that_says_how_the_work_stands(
    worker: LiveWorker,
) -> None:
    for _ in range(SWEEPS):
        worker.sweep()
    worker.tidy()

    lines = worker.end()
    assert list_events(lines) == ["work stands"]
    [line] = [line for line in lines if line["event"] == "work stands"]
    assert (line["level"], line["due"], line["latest_s"]) == ("info", 0, 0)


def test_something_done_leaves_one_line(worker: LiveWorker) -> None:
    runner_id = undecided_run(worker.db)

    for _ in range(SWEEPS):
        worker.sweep()

    lines = worker.end()
    assert list_events(lines) == ["runs decided"]
    [line] = [line for line in lines if line["event"] == "runs decided"]
    assert (line["runner_id"], line["runs"]) == (runner_id, 1)


def test_a_task_that_fails_is_always_told(worker: LiveWorker) -> None:
    worker.sweep()
    Model.metadata.drop_all(worker.db.engine)

    worker.tidy()
    wait_for(lambda: worker.has_written('"error"'))

    lines = [line for line in worker.end() if line["level"] == "error"]
    assert any("tidy" in str(line["event"]) for line in lines)


def test_a_worker_takes_no_orders_by_the_broker(worker: LiveWorker) -> None:
    worker.sweep()

    assert worker.order_to_shut_down() == []
    worker.sweep()
