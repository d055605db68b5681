"""`moodmiles up` with all its real parts: it starts, stands up again and ends."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from redis import Redis

from host.cli import EXIT_FAILED, main
from host.commands import CHECKS
from tests.support.live_instance import LiveInstance, start_instance, wait_for
from tests.support.paths import ROOT
from tests.support.servers import HOST, TIMEOUT_S, free_port, run_valkey

pytestmark = pytest.mark.processes

# A part is called by its name; a Redis by the name of the server that was found.
REDIS = ("redis-server", "valkey-server")
PARTS = ("web", "worker", "redis", "simulator", "mailbox")


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    with start_instance(tmp_path_factory.mktemp("first") / "data") as running:
        yield running


def pids(running: LiveInstance) -> dict[str, int]:
    """Return the leader of each part."""
    names = {name_part(pid): pid for pid in children_of(running.process.pid)}
    return {name: pid for name, pid in names.items() if name in PARTS}


def children_of(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def name_part(pid: int) -> str:
    """Return what a process is; nothing if it has gone just now."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
    return "redis" if name in REDIS else name


def is_working(running: LiveInstance) -> bool:
    """Ask the pages, the database, Redis and the simulator; a worker must be up."""
    try:
        pages = requests.get(f"{running.url}/readyz", timeout=2)
        running.world()
    except requests.RequestException:
        return False
    log = (running.data_dir / "logs" / "worker.log").read_text()
    return pages.json()["redis"] == "ok" and " ready." in log


def test_all_parts_run(instance: LiveInstance) -> None:
    wait_for(lambda: is_working(instance))
    assert pids(instance).keys() == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(instance: LiveInstance, part: str) -> None:
    old = pids(instance)[part]

    os.kill(old, signal.SIGKILL)

    wait_for(lambda: pids(instance).get(part, old) != old)
    wait_for(lambda: is_working(instance))


LOCAL_PATHS = ("/mailbox", "/states", "/metrics")


def ask(running: LiveInstance, path: str, protocol: str, *headers: str) -> str:
    """Send a request as it stands here; return the status line."""
    address = urlsplit(running.url)
    lines = [f"GET {path} {protocol}", *headers, "Connection: close", "", ""]
    port = int(address.port or 0)
    with socket.create_connection((HOST, port), timeout=TIMEOUT_S) as line:
        line.sendall("\r\n".join(lines).encode())
        return line.makefile("rb").readline().decode()


@pytest.mark.parametrize("path", LOCAL_PATHS)
def test_the_stand_ins_answer_this_machine_and_no_proxy(
    instance: LiveInstance, path: str
) -> None:
    host = f"Host: {urlsplit(instance.url).netloc}"

    assert " 200 " in ask(instance, path, "HTTP/1.1", host)
    # nginx as it comes, a tunnel, and a name of somebody else's.
    assert " 403 " in ask(instance, path, "HTTP/1.0", host)
    assert " 403 " in ask(
        instance, path, "HTTP/1.1", host, "X-Forwarded-For: 203.0.113.7"
    )
    assert " 200 " not in ask(instance, path, "HTTP/1.1", "Host: run.example.org")


def test_the_simulator_answers_no_other_name(instance: LiveInstance) -> None:
    state = f"{instance.strava_url}/control/state"

    stranger = requests.get(state, headers={"Host": "evil.example"}, timeout=TIMEOUT_S)

    assert stranger.status_code == 421
    assert "hooks" not in stranger.text


def test_no_command_line_holds_a_secret(instance: LiveInstance) -> None:
    secrets = json.loads((instance.data_dir / "secrets.json").read_text())

    lines = [
        Path(f"/proc/{pid}/cmdline").read_bytes()
        for pid in list_all_processes(instance)
    ]

    assert len(lines) > len(PARTS)
    for name, secret in secrets.items():
        assert not [line for line in lines if secret.encode() in line], name


def test_the_schedule_has_the_worker_look_at_once(instance: LiveInstance) -> None:
    wait_for((instance.data_dir / "pulse").exists)


def test_a_second_instance_is_refused(
    instance: LiveInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["up", "--data-dir", str(instance.data_dir)])

    output = capsys.readouterr()
    assert code == EXIT_FAILED
    assert output.err.startswith("moodmiles: Another instance is running in")
    assert output.err.count("\n") == 1


def test_a_taken_port_is_refused(
    instance: LiveInstance, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = instance.url.rpartition(":")[2]

    code = main(["up", "--data-dir", str(folder / "other"), "--port", port])

    assert code == EXIT_FAILED
    assert f"Port {port} on 127.0.0.1 is taken" in capsys.readouterr().err


IMPATIENT = (
    "import sys; from host import supervisor; supervisor.START_TIMEOUT_S = 8;"
    "from host.cli import main; sys.exit(main(sys.argv[1:]))"
)


def test_a_redis_that_the_host_has_given_is_named_if_it_cannot_be_used(
    folder: Path,
) -> None:
    with run_valkey() as server, Redis.from_url(server.url) as redis:
        redis.config_set("requirepass", "q7Jw0Zr1uVx9Kc3Tn5Lb8Ye2")
        given = server.url.replace("redis://", "redis://:Zq7Zx@")
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-c", IMPATIENT, "up", "--port", "0"],
            cwd=folder,
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "MOODMILES_REDIS_URL": given,
                "MOODMILES_DATA_DIR": str(folder / "data"),
            },
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    assert ended.returncode == 1
    assert "refuses the password" in ended.stderr, ended.stderr
    assert "Zq7Zx" not in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_other_commands_know_a_running_instance(
    instance: LiveInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["doctor", "--data-dir", str(instance.data_dir)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0, lines
    assert len(lines) == len(CHECKS)
    # What grows old is a warning on some day, and all is well all the same.
    assert {line.split()[0] for line in lines} <= {"ok", "warn"}


def test_another_instance_runs_beside_it(instance: LiveInstance, folder: Path) -> None:
    with start_instance(folder / "data") as other:
        parts = pids(other)

        wait_for(lambda: is_working(other))
        wait_for(lambda: is_working(instance))
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

    assert code == EXIT_FAILED
    assert "belongs to a newer version of Moodmiles" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_ctrl_c_ends_it_in_order(folder: Path) -> None:
    with start_instance(folder / "data") as running:
        parts = pids(running)

        running.process.send_signal(signal.SIGINT)

        assert running.process.wait(TIMEOUT_S) == 0
    assert (folder / "up.log").read_text() == ""
    assert not (folder / "data" / "instance.json").exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts.values())


def list_all_processes(running: LiveInstance) -> list[int]:
    """Return the supervisor and all below it."""
    pids, new = [], [running.process.pid]
    while new:
        pids += new
        new = [child for pid in new for child in children_of(pid)]
    return pids


def test_who_idles_has_not_loaded_what_only_figures_need(folder: Path) -> None:
    with start_instance(folder / "data") as running:
        wait_for((running.data_dir / "pulse").exists)
        wait_for(lambda: not count_waiting_tasks(running))

        for pid in list_all_processes(running):
            files = Path(f"/proc/{pid}/maps").read_text()
            assert (
                "libpython" in files or "python" in files or name_part(pid) == "redis"
            )
            assert not re.findall(r"numpy|scipy|pandas", files), name_part(pid)


def count_waiting_tasks(running: LiveInstance) -> int:
    settings = json.loads((running.data_dir / "instance.json").read_text())
    with Redis.from_url(settings["MOODMILES_REDIS_URL"]) as redis:
        return int(redis.llen("celery")) + int(redis.hlen("unacked"))
