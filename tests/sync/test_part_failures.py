"""Which parts end again and again: the rule, the file, and the records in Redis."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from sync import heartbeats, part_failures
from sync.part_failures import (
    FAILING_FILE,
    MIN_RECOVERY_S,
    WINDOW_S,
    encode_failing,
    is_failing,
    read_failing,
    read_published,
)
from sync.queue import CeleryQueue
from tests.support.paths import ROOT
from tests.support.servers import ValkeyServer, free_port, run_valkey, wait_until

NOW = 10_000.0


@pytest.mark.parametrize(
    ("ages_s", "expected"),
    [
        ((), False),
        ((5, 3), False),
        ((5, 3, 1), True),
        ((180, 120, 60), True),  # it lives for a minute each time
        ((300, 240, 180), False),  # and has now lived for three
        ((700, 400, 100), True),
        ((WINDOW_S + 1, 3, 1), False),
        ((3 * WINDOW_S, 2 * WINDOW_S, WINDOW_S), False),
        ((MIN_RECOVERY_S + 5, MIN_RECOVERY_S + 3, MIN_RECOVERY_S + 1), False),
    ],
)
def test_three_ends_without_recovery_are_no_accident(
    ages_s: Sequence[float], expected: bool
) -> None:
    assert is_failing([NOW - age_s for age_s in ages_s], NOW) is expected


@given(st.lists(st.floats(0, NOW), max_size=200))
def test_whatever_ended_is_well_again_in_the_end(ended_at: list[float]) -> None:
    assert not is_failing(sorted(ended_at), NOW + WINDOW_S + 1)


def test_the_supervisors_word_is_believed_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / FAILING_FILE
    file.write_text(json.dumps(encode_failing({"worker": 4})))

    assert read_published(tmp_path) == {"worker": 4}
    # Another process has the number of one that was killed.
    content = {"supervisor": f"{os.getpid()}:1", "failing": {"worker": 4}}
    file.write_text(json.dumps(content))
    assert read_published(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"supervisor": 1}', "[" * 100_000, "\x00" * 64, "\udcff"],
)
def test_a_damaged_file_says_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / FAILING_FILE).write_text(content, errors="surrogateescape")

    assert read_published(tmp_path) == {}


@pytest.mark.parametrize("failing", [None, [], "worker", {"worker": "x"}])
def test_a_file_of_another_version_says_nothing(
    failing: object, tmp_path: Path
) -> None:
    content = encode_failing({}) | {"failing": failing}
    (tmp_path / FAILING_FILE).write_text(json.dumps(content))

    assert read_published(tmp_path) == {}


@pytest.fixture
def redis() -> Iterator[ValkeyServer]:
    with run_valkey() as server:
        yield server


def start_beat(
    redis_url: str, folder: Path, **settings: str
) -> "subprocess.Popen[str]":
    return start_part("beat", redis_url, folder, **settings)


def start_part(
    part: str, redis_url: str, folder: Path, **settings: str
) -> "subprocess.Popen[str]":
    own = {
        "MOODMILES_SECRET_KEYS": "0123456789abcdefghijklmnopqrstuvwxyz",
        "MOODMILES_REDIS_URL": redis_url,
        "MOODMILES_STRAVA_CLIENT_ID": "1",
        "MOODMILES_STRAVA_CLIENT_SECRET": "secret",
    }
    others = {k: v for k, v in os.environ.items() if not k.startswith("MOODMILES_")}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "host.cli", part],
        cwd=folder,
        env=others | own | settings | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_first_tick(redis: ValkeyServer) -> None:
    with Redis.from_url(redis.url) as messages:
        wait_until(lambda: messages.llen("celery") == 2)
        messages.delete("celery")


def let_pass(redis: ValkeyServer, seconds: float) -> None:
    """Let the recorded ends be older."""
    with Redis.from_url(redis.url) as records:
        for key in records.scan_iter("moodmiles:ends:*"):
            for name, _ in records.zrange(key, 0, -1, withscores=True):
                records.zincrby(key, -seconds, name)


@pytest.mark.processes
def test_a_schedule_that_is_killed_again_and_again_is_named(
    redis: ValkeyServer, tmp_path: Path
) -> None:
    for count in range(part_failures.MIN_ENDS + 1):
        assert read_failing(tmp_path, redis.url) == {}, count
        process = start_beat(redis.url, tmp_path)
        wait_for_first_tick(redis)
        process.kill()
        process.communicate()
    running = start_beat(redis.url, tmp_path)
    wait_for_first_tick(redis)
    try:
        assert read_failing(tmp_path, redis.url) == {"beat": part_failures.MIN_ENDS + 1}
        let_pass(redis, MIN_RECOVERY_S + 60)
        assert read_failing(tmp_path, redis.url) == {}
    finally:
        running.kill()
        running.communicate()


@pytest.mark.processes
def test_a_schedule_that_refuses_to_start_is_named(
    redis: ValkeyServer, tmp_path: Path
) -> None:
    for _ in range(part_failures.MIN_ENDS + 1):
        process = start_beat(redis.url, tmp_path, MOODMILES_STRAVA_CLIENT_SECRET="")
        _, errors = process.communicate()
        assert "Not set" in errors

    assert read_failing(tmp_path, redis.url) == {"beat": part_failures.MIN_ENDS}


@pytest.mark.processes
def test_an_end_that_was_asked_for_is_none(redis: ValkeyServer, tmp_path: Path) -> None:
    for _ in range(part_failures.MIN_ENDS + 1):
        process = start_beat(redis.url, tmp_path)
        wait_for_first_tick(redis)
        process.terminate()
        process.communicate()
        assert process.returncode == 0

    with Redis.from_url(redis.url) as records:
        assert list(records.scan_iter("moodmiles:ends:*")) == []


@pytest.mark.processes
def test_a_worker_that_ends_as_it_was_asked_to_leaves_no_record(
    redis: ValkeyServer, tmp_path: Path
) -> None:
    process = start_part(
        "worker",
        redis.url,
        tmp_path,
        MOODMILES_SMTP_URL="smtp://127.0.0.1",
        MOODMILES_PUBLIC_URL="http://127.0.0.1:8000",
        MOODMILES_MAIL_FROM="moodmiles@localhost",
        MOODMILES_DATA_DIR=str(tmp_path),
        MOODMILES_WORKER_PROCESSES="1",
    )
    probe_id = CeleryQueue(redis.url).send_probe()
    wait_until(lambda: heartbeats.has_arrived(redis.url, probe_id))
    with Redis.from_url(redis.url) as records:
        started = list(records.scan_iter("moodmiles:starts:worker:*"))
        process.terminate()
        process.communicate()
        left = list(records.scan_iter("moodmiles:starts:worker:*"))

    assert process.returncode == 0
    assert len(started) == 1
    assert left == []


@pytest.mark.processes
def test_neighbours_that_run_are_not_counted(
    redis: ValkeyServer, tmp_path: Path
) -> None:
    processes = []
    for _ in range(part_failures.MIN_ENDS + 2):
        processes.append(start_beat(redis.url, tmp_path))
        wait_for_first_tick(redis)

    try:
        assert read_failing(tmp_path, redis.url) == {}
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_redis_that_is_away_says_nothing(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"

    part_failures.record_start("web", url)

    assert read_failing(tmp_path, url) == {}
    assert read_failing(tmp_path, "redis://nonsense:port") == {}
