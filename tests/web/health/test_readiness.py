"""Ready means that work can be stored, sent and done; each fault has its own name."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect

import pytest
import structlog
from redis import Redis
from sqlalchemy import text

from sync import counters, heartbeats
from sync.database import Database, open_engine
from sync.heartbeats import LIFETIME_S, Heartbeat
from sync.runtime import Runtime
from tests.conftest import empty_postgres
from tests.support.clock import ManualClock
from tests.support.recording_queue import RecordingQueue
from tests.support.servers import run_valkey
from web.app import create_app
from web.health.checks import RECHECK_AFTER_S, Readiness, ReadinessMonitor, is_ready


class Seconds:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += RECHECK_AFTER_S  # each question is tried anew
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def watch(
    runtime: Runtime, seconds: Seconds, *, redis_url: str = ""
) -> ReadinessMonitor:
    settings = runtime.settings.model_copy(update={"redis_url": redis_url})
    return ReadinessMonitor(replace(runtime, settings=settings), clock=seconds)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of four megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nobody may mount a disk here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607


@pytest.fixture
def runtime_on_small_disk(
    runtime: Runtime, small_disk: Path, sqlite_template: Path, clock: ManualClock
) -> Iterator[Runtime]:
    path = small_disk / "moodmiles.sqlite3"
    shutil.copy(sqlite_template, path)
    db = Database(open_engine(f"sqlite:///{path}"), RecordingQueue(), clock=clock)
    yield replace(runtime, db=db)
    db.close()


def fill(folder: Path) -> Path:
    """Write until nothing more fits."""
    path = folder / "ballast"
    with suppress(OSError), path.open("ab", buffering=0) as file:
        while file.write(bytes(1024)):
            pass
    return path


@pytest.mark.processes
def test_a_full_disk_turns_it_red_and_room_turns_it_green(
    runtime_on_small_disk: Runtime,
    small_disk: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.health.checks.RECHECK_AFTER_S", 0)
    client = create_app(runtime_on_small_disk).test_client()
    before = client.get("/readyz")
    clock.advance(minutes=1)
    ballast = fill(small_disk)
    full = client.get("/readyz")
    ballast.unlink()
    after = client.get("/readyz")

    assert [answer.status_code for answer in (before, full, after)] == [200, 503, 200]
    assert full.json
    assert full.json["database"] == "disk full"
    assert full.json["oldest_due_s"]  # it can still be read


@pytest.mark.processes
def test_room_in_the_log_of_sqlite_does_not_hide_a_full_disk(
    runtime_on_small_disk: Runtime, small_disk: Path, seconds: Seconds
) -> None:
    db = runtime_on_small_disk.db
    with db.transaction() as session:
        for number in range(100):
            counters.increment(session, f"{number}" * 2000, at=db.now(session))
    with db.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(RESTART)")
    fill(small_disk)
    with db.transaction() as session:  # one row still fits
        counters.increment(session, "one more", at=db.now(session))

    report = watch(runtime_on_small_disk, seconds).check()

    assert (report["database"], is_ready(report)) == ("disk full", False)


@pytest.mark.processes
def test_a_disk_that_may_not_be_written_is_named(
    runtime_on_small_disk: Runtime, small_disk: Path, seconds: Seconds
) -> None:
    monitor = watch(runtime_on_small_disk, seconds)
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    runtime_on_small_disk.db.close()
    subprocess.run(remount, check=True)  # noqa: S603

    report = monitor.check()

    assert (report["database"], is_ready(report)) == ("read-only", False)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_lets_nobody_write_is_named(
    runtime: Runtime, seconds: Seconds, postgres_url: str
) -> None:
    url = f"{empty_postgres(postgres_url)}"
    separator = "&" if "?" in url else "?"
    options = "options=-c%20default_transaction_read_only%3Don"
    db = Database(open_engine(f"{url}{separator}{options}"), RecordingQueue())
    report = watch(replace(runtime, db=db), seconds).check()
    db.close()

    assert (report["database"], is_ready(report)) == ("read-only", False)
    assert is_ready(watch(runtime, seconds).check())


def test_another_writer_is_no_fault(runtime: Runtime, seconds: Seconds) -> None:
    monitor = watch(runtime, seconds)
    with runtime.db.transaction() as session:
        session.execute(text("SELECT 1"))
        report = monitor.check()

    assert is_ready(report)


def test_what_it_writes_counts_nothing(runtime: Runtime, seconds: Seconds) -> None:
    monitor = watch(runtime, seconds)
    for _ in range(3):
        monitor.check()

    with runtime.db.read_only() as session:
        assert counters.load_counts(session) == {}
        assert session.scalar(text("SELECT count(*) FROM tally")) == 1


def test_what_was_just_tried_is_not_tried_again(
    runtime: Runtime, clock: ManualClock
) -> None:
    now = 0.0
    monitor = ReadinessMonitor(runtime, clock=lambda: now)
    written = []
    path = str(runtime.db.engine.url.database)
    with closing(connect(path)) as connection:
        for now in (0.0, 0.1, RECHECK_AFTER_S - 0.1, RECHECK_AFTER_S):  # noqa: B007
            clock.advance(minutes=1)
            monitor.check()
            written.append(connection.execute("PRAGMA data_version").fetchone())

    assert written[0] == written[1] == written[2] != written[3]


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("maxmemory", "1", "memory full"),
        ("min-replicas-to-write", "1", "read-only"),
        ("requirepass", "another", "password refused"),
    ],
)
def test_a_redis_that_takes_no_wake_ups_is_named(
    runtime: Runtime, seconds: Seconds, *, setting: str, value: str, word: str
) -> None:
    with run_valkey() as server:
        monitor = watch(runtime, seconds, redis_url=server.url)
        before = monitor.check()
        with Redis.from_url(server.url) as redis:
            redis.config_set(setting, value)
            redis.client_kill_filter(_type="normal", skipme=True)
            monitor.check()  # a line that was open may break first
            refused = monitor.check()
            undone = {"maxmemory": "0", "requirepass": ""}.get(setting, "0")
            redis.config_set(setting, undone)
        after = monitor.check()

    assert [before["redis"], refused["redis"], after["redis"]] == ["ok", word, "ok"]
    assert [is_ready(each) for each in (before, refused, after)] == [True, False, True]


def age(url: str, heartbeat: Heartbeat, seconds: int) -> None:
    with Redis.from_url(url) as redis:
        redis.expire(f"moodmiles:alive:{heartbeat}", LIFETIME_S - seconds)


@pytest.mark.parametrize("heartbeat", Heartbeat)
def test_what_shows_no_life_for_minutes_is_named(
    runtime: Runtime, seconds: Seconds, heartbeat: Heartbeat
) -> None:
    with run_valkey() as server:
        monitor = watch(runtime, seconds, redis_url=server.url)
        for each in Heartbeat:
            heartbeats.record(server.url, each)
        alive = monitor.check()
        seconds.now += 100
        age(server.url, heartbeat, 170)
        late = monitor.check()
        age(server.url, heartbeat, 190)
        silent = monitor.check()
        heartbeats.record(server.url, heartbeat)
        again = monitor.check()

    words = [get_state(each, heartbeat) for each in (alive, late, silent, again)]
    assert words == ["ok", "ok", "silent", "ok"]
    ready = [is_ready(each) for each in (alive, late, silent, again)]
    assert ready == [True, True, False, True]


def test_an_emptied_redis_and_a_start_are_given_time(
    runtime: Runtime, seconds: Seconds
) -> None:
    with run_valkey() as server:
        heartbeats.record(server.url, Heartbeat.SCHEDULE)
        age(server.url, Heartbeat.SCHEDULE, 3600)  # of before a long stop
        monitor = watch(runtime, seconds, redis_url=server.url)
        at_start = monitor.check()
        seconds.now += 100
        server.flush()
        emptied = monitor.check()
        seconds.now += 190
        still_silent = monitor.check()

    assert [at_start["schedule"], emptied["schedule"]] == ["unknown", "unknown"]
    assert is_ready(at_start)
    assert is_ready(emptied)
    assert still_silent["schedule"] == "silent"
    assert not is_ready(still_silent)


def test_the_log_hears_of_changes_alone(runtime: Runtime, seconds: Seconds) -> None:
    with structlog.testing.capture_logs() as logs, run_valkey() as server:
        monitor = watch(runtime, seconds, redis_url=server.url)
        monitor.check()
        server.stop()
        for _ in range(5):
            monitor.check()
        server.start()
        for _ in range(5):
            monitor.check()

    parts = [(log["part"], log["state"]) for log in logs if log["event"] == CHECKED]
    assert parts == [("redis", "down"), ("redis", "ok")]


CHECKED = "part checked"


def get_state(report: Readiness, heartbeat: Heartbeat) -> str:
    match heartbeat:
        case Heartbeat.SCHEDULE:
            return report["schedule"]
        case Heartbeat.WORKERS:
            return report["workers"]


def test_nothing_is_left_beside_the_tables(
    runtime: Runtime, seconds: Seconds, sqlite_folder: Path
) -> None:
    watch(runtime, seconds).check()

    names = [path.name for path in sqlite_folder.iterdir()]
    assert not [name for name in names if not name.startswith("moodmiles.sqlite3")]
