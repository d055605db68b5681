"""`moodmiles up` with all its real parts: it starts, stands up again and ends."""

import json
import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from redis import Redis

from host.cli import FAILED, main
from host.commands import CHECKS
from tests.support.live_instance import House, house, until
from tests.support.servers import PATIENCE_S, free_port

pytestmark = pytest.mark.processes

# A part is called by its name; a Redis by the name of the server that was found.
REDIS = ("redis-server", "valkey-server")
PARTS = ("web", "worker", "redis", "simulator", "mailbox")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("first") / "data") as running:
        yield running


def pids(running: House) -> dict[str, int]:
    """Return the leader of each part."""
    names = {part_of(pid): pid for pid in children_of(running.process.pid)}
    return {name: pid for name, pid in names.items() if name in PARTS}


def children_of(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def part_of(pid: int) -> str:
    """Return what a process is; nothing if it has gone just now."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
    return "redis" if name in REDIS else name


def works(running: House) -> bool:
    """Ask the pages, the database, Redis and the simulator; a worker must be up."""
    try:
        pages = requests.get(f"{running.url}/readyz", timeout=2)
        running.world()
    except requests.RequestException:
        return False
    log = (running.data_dir / "logs" / "worker.log").read_text()
    return pages.json()["redis"] == "ok" and " ready." in log


def test_all_parts_run(instance: House) -> None:
    until(lambda: works(instance))
    assert pids(instance).keys() == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(instance: House, part: str) -> None:
    old = pids(instance)[part]

    os.kill(old, signal.SIGKILL)

    until(lambda: pids(instance).get(part, old) != old)
    until(lambda: works(instance))


def test_the_schedule_has_the_worker_look_at_once(instance: House) -> None:
    until((instance.data_dir / "pulse").exists)


def test_a_second_instance_is_refused(
    instance: House, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["up", "--data-dir", str(instance.data_dir)])

    said = capsys.readouterr()
    assert code == FAILED
    assert said.err.startswith("moodmiles: Another instance is running in")
    assert said.err.count("\n") == 1


def test_a_taken_port_is_refused(
    instance: House, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = instance.url.rpartition(":")[2]

    code = main(["up", "--data-dir", str(folder / "other"), "--port", port])

    assert code == FAILED
    assert f"Port {port} on 127.0.0.1 is taken" in capsys.readouterr().err


def test_the_other_commands_know_a_running_instance(
    instance: House, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["doctor", "--data-dir", str(instance.data_dir)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0, lines
    assert len(lines) == len(CHECKS)
    # What grows old is a warning on some day, and all is well all the same.
    assert {line.split()[0] for line in lines} <= {"ok", "warn"}


def test_another_instance_runs_beside_it(instance: House, folder: Path) -> None:
    with house(folder / "data") as other:
        parts = pids(other)

        until(lambda: works(other))
        until(lambda: works(instance))
        assert other.strava_url != instance.strava_url
        assert other.stop() == 0

    assert not any(Path(f"/proc/{pid}").exists() for pid in parts.values())


def test_newer_tables_are_left_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.chmod(0o700)
    file = folder / "moodmiles.sqlite3"
    with sqlite3.connect(file) as tables:
        tables.execute("PRAGMA journal_mode=WAL")
        tables.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        tables.execute("INSERT INTO alembic_version VALUES ('from the future')")
    tables.close()
    before = file.read_bytes()

    code = main(["up", "--data-dir", str(folder), "--port", str(free_port())])

    assert code == FAILED
    assert "belongs to a newer version of Moodmiles" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_ctrl_c_ends_it_in_order(folder: Path) -> None:
    with house(folder / "data") as running:
        parts = pids(running)

        running.process.send_signal(signal.SIGINT)

        assert running.process.wait(PATIENCE_S) == 0
    assert (folder / "up.log").read_text() == ""
    assert not (folder / "data" / "instance.json").exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts.values())


def everybody(running: House) -> list[int]:
    """Return the supervisor and all below it."""
    found, new = [], [running.process.pid]
    while new:
        found += new
        new = [child for pid in new for child in children_of(pid)]
    return found


def test_who_idles_has_not_loaded_what_only_figures_need(folder: Path) -> None:
    with house(folder / "data") as running:
        until((running.data_dir / "pulse").exists)
        until(lambda: not waiting_tasks(running))

        for pid in everybody(running):
            files = Path(f"/proc/{pid}/maps").read_text()
            assert "libpython" in files or "python" in files or part_of(pid) == "redis"
            assert not re.findall(r"numpy|scipy|pandas", files), part_of(pid)


def waiting_tasks(running: House) -> int:
    told = json.loads((running.data_dir / "instance.json").read_text())
    with Redis.from_url(told["MOODMILES_REDIS_URL"]) as redis:
        return int(redis.llen("celery")) + int(redis.hlen("unacked"))
