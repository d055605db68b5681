"""A worker without a /dev/shm to write to works in threads, and says what to do."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from sync.queue import Job, task_name
from tests.support.servers import ValkeyServer, run_valkey, wait_until
from tests.support.worker_process import build_worker_environment

# In a namespace of its own, /dev/shm is a folder that can only be read.
UNSHARE = ["unshare", "--mount", "--map-root-user"]
READ_ONLY = "mount -t tmpfs -o ro none /dev/shm && exec"


def can_unshare() -> bool:
    try:
        tried = subprocess.run(  # noqa: S603
            [*UNSHARE, "sh", "-c", f"{READ_ONLY} true"],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0


pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not can_unshare(), reason="no mount may be made here"),
]


@pytest.fixture
def redis() -> Iterator[ValkeyServer]:
    with run_valkey() as server:
        yield server


def test_a_worker_works_on_in_threads(
    redis: ValkeyServer, sqlite_url: str, tmp_path: Path
) -> None:
    environment = build_worker_environment(
        tmp_path, database_url=sqlite_url, redis_url=redis.url
    )
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(  # noqa: S603
            [*UNSHARE, "sh", "-c", f"{READ_ONLY} {sys.executable} -m host.cli worker"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: worker.poll() is not None or "ready." in log.read_text())
        with Celery(broker=redis.url, set_as_current=False) as beat:
            beat.send_task(task_name(Job.OUTBOX), ignore_result=True)
        wait_until(lambda: worker.poll() is not None or is_done(redis))
        assert worker.poll() is None, log.read_text()
    finally:
        worker.terminate()
        assert worker.wait(60) == 0
    text = log.read_text()
    assert text.count("working in threads of one process") == 1
    assert "mount one, such as a tmpfs" in text
    assert "Traceback" not in text


def is_done(redis: ValkeyServer) -> bool:
    """Whether no message waits, nor is one taken and not yet acknowledged."""
    from redis import Redis  # noqa: PLC0415 - the fixture has its name

    with Redis.from_url(redis.url) as client:
        return not client.llen("celery") and not client.hlen("unacked")
