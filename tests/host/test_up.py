"""`moodmiles up` with all its real parts: it starts, stands up again and ends."""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from threading import Thread

import pytest
import requests
from celery import Celery

from host.cli import FAILED, main
from host.commands import CHECKS
from tests.journeys.house import House, house, until
from tests.servers import free_port

pytestmark = pytest.mark.processes

PARTS = {
    "web": "web.wsgi:app",
    "worker": "workers.worker",
    "beat": "workers.beat",
    "redis": "valkey-server",
    "simulator": "sync.simulator",
    "mailbox": "host.mailbox",
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("first") / "data") as running:
        yield running


def pids(running: House) -> dict[str, int]:
    """Return the leader of each part."""
    us = running.process.pid
    children = Path(f"/proc/{us}/task/{us}/children").read_text().split()
    commands = {int(pid): command_of(pid) for pid in children}
    return {
        part: pid
        for part, word in PARTS.items()
        for pid, command in commands.items()
        if word in command
    }


def command_of(pid: str) -> str:
    """Return a process's command; nothing if it has gone just now."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


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
    assert works(instance)
    assert pids(instance).keys() == PARTS.keys()


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(instance: House, part: str) -> None:
    old = pids(instance)[part]

    os.kill(old, signal.SIGKILL)

    until(lambda: pids(instance).get(part, old) != old)
    until(lambda: works(instance))


def test_the_worker_shows_that_wake_ups_arrive(instance: House) -> None:
    told = json.loads((instance.data_dir / "instance.json").read_text())
    with Celery(broker=told["MOODMILES_REDIS_URL"], set_as_current=False) as beat:
        beat.send_task("sweep", ignore_result=True)

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
    assert [line.split()[0] for line in lines] == ["ok"] * len(CHECKS)


def test_another_instance_runs_beside_it(instance: House, folder: Path) -> None:
    with house(folder / "data") as other:
        parts = pids(other)

        assert works(other)
        assert works(instance)
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
    data_dir, port, told = folder / "data", free_port(), folder / "told"
    ready = f"Moodmiles is ready: http://127.0.0.1:{port}\n"

    def interrupt() -> None:
        until(lambda: told.exists() and told.read_text())
        os.kill(os.getpid(), signal.SIGINT)

    Thread(target=interrupt, daemon=True).start()
    with told.open("w") as out, redirect_stdout(out):
        code = main(["up", "--data-dir", str(data_dir), "--port", str(port)])

    assert code == 0
    assert told.read_text() == ready
    assert not (data_dir / "instance.json").exists()
