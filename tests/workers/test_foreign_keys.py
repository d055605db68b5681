"""What another program has left in Redis under Celery's names stops no worker."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from sync import heartbeats
from sync.queue import CeleryQueue
from tests.conftest import KEY
from tests.support.servers import ValkeyServer, run_valkey, wait_until

pytestmark = pytest.mark.processes

NAMES = ["celery", "_kombu.binding.celery", "unacked", "unacked_index"]


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with run_valkey() as running:
        yield running


def test_a_worker_renames_it_and_works(
    server: ValkeyServer, sqlite_url: str, tmp_path: Path
) -> None:
    settings = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": sqlite_url,
        "REDIS_URL": server.url,
        "SECRET_KEYS": KEY,
        "STRAVA_CLIENT_ID": "1",
        "STRAVA_CLIENT_SECRET": "simulated",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "MAIL_FROM": "moods@example.org",
    }
    log = tmp_path / "worker.log"
    with Redis.from_url(server.url) as redis, log.open("wb") as output:
        for name in NAMES:
            redis.set(name, "another program's")
        redis.sadd("unacked_mutex", "another program's")
        worker = subprocess.Popen(
            [sys.executable, "-m", "workers.worker", "--pool", "threads"],
            cwd=tmp_path,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            | {f"MOODMILES_{name}": value for name, value in settings.items()},
            stdout=output,
            stderr=output,
        )
        try:
            wait_until(lambda: worker.poll() is not None or "ready." in log.read_text())
            assert worker.poll() is None, log.read_text()
            probe = CeleryQueue(server.url).send_probe()
            wait_until(lambda: heartbeats.has_arrived(server.url, probe))
        finally:
            worker.terminate()
            worker.wait(60)
        for name in [*NAMES, "unacked_mutex"]:
            assert redis.exists(f"moodmiles:set-aside:{name}"), name
            assert redis.ttl(f"moodmiles:set-aside:{name}") > 0
    assert "another program's value" in log.read_text()
    assert "Traceback" not in log.read_text()
