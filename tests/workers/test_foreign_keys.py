"""What another program has left in Redis under Celery's names stops no worker."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from sync import heartbeats
from sync.queue import CeleryQueue
from tests.support.servers import ValkeyServer, run_valkey, wait_until
from tests.support.worker_process import build_worker_environment

pytestmark = pytest.mark.processes

NAMES = ["celery", "_kombu.binding.celery", "unacked", "unacked_index"]


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with run_valkey() as running:
        yield running


def test_a_worker_renames_it_and_works(
    server: ValkeyServer, sqlite_url: str, tmp_path: Path
) -> None:
    environment = build_worker_environment(
        tmp_path, database_url=sqlite_url, redis_url=server.url
    )
    log = tmp_path / "worker.log"
    with Redis.from_url(server.url) as redis, log.open("wb") as output:
        for name in NAMES:
            redis.set(name, "another program's")
        redis.sadd("unacked_mutex", "another program's")
        worker = subprocess.Popen(
            [sys.executable, "-m", "workers.worker", "--pool", "threads"],
            cwd=tmp_path,
            env=environment,
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
