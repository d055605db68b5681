"""Real parts and whole instances on damaged files: they start, or say what to do."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from host.data_entries import DataEntry, list_quarantined
from tests.support import damage
from tests.support.paths import ROOT
from tests.support.servers import HOST, TIMEOUT_S, find_valkey

pytestmark = pytest.mark.processes


def start_parts(data_dir: Path, *names: str) -> tuple[int, list[str]]:
    """Start parts and stop them again; return the exit code and the lines said."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.host.parts_of_instance", str(data_dir), *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.fixture(scope="module")
def used_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data directory of parts that have run."""
    data_dir = tmp_path_factory.mktemp("used") / "data"
    assert start_parts(data_dir, "redis", "mailbox", "simulator") == (0, [])
    return data_dir


@pytest.fixture
def data_dir(used_dir: Path, folder: Path) -> Path:
    return Path(shutil.copytree(used_dir, folder / "data"))


def find_redis_file(data_dir: Path, pattern: str) -> Path:
    [path] = (data_dir / DataEntry.REDIS).rglob(pattern)
    return path


def write_other_version(path: Path) -> None:
    """Write the file of a server that is much newer."""
    path.write_bytes(b"REDIS9999" + bytes(range(256)))


def put_unknown_commands(path: Path) -> None:
    path.write_bytes(b"*1\r\n$6\r\nFLOAT!\r\n")


MANIFEST, BASE, INCREMENT = "*.manifest", "*.base.rdb", "*.incr.aof"
REDIS_HARMS: list[tuple[str, Callable[[Path], None]]] = [
    *((INCREMENT, harm) for harm in (damage.append_zeros, damage.zero)),
    *((INCREMENT, harm) for harm in (damage.fill_with_noise, put_unknown_commands)),
    *((INCREMENT, harm) for harm in (damage.make_unreadable, damage.remove)),
    *((INCREMENT, harm) for harm in (damage.put_folder, damage.put_pipe)),
    *((BASE, harm) for harm in (damage.zero, damage.cut, write_other_version)),
    *((BASE, harm) for harm in (damage.put_looping_link, damage.remove)),
    *((MANIFEST, harm) for harm in (damage.zero, damage.empty, damage.cut)),
    *((MANIFEST, harm) for harm in (damage.fill_with_noise, damage.put_dangling_link)),
    *(("appendonlydir", harm) for harm in damage.OF_FOLDERS),
    *(("redis.conf", harm) for harm in damage.OF_FILES),
]


@pytest.mark.parametrize(
    ("pattern", "harm"),
    [
        pytest.param(pattern, harm, id=f"{pattern}-{harm.__name__}")
        for pattern, harm in REDIS_HARMS
        if harm is not damage.give_away or not os.geteuid()
    ],
)
def test_no_file_of_redis_stops_a_start(
    pattern: str, harm: Callable[[Path], None], data_dir: Path
) -> None:
    harm(find_redis_file(data_dir, pattern))

    code, lines = start_parts(data_dir, "redis")

    assert code == 0, lines
    renamed = list_quarantined(data_dir)
    assert [path.name in line for path, line in zip(renamed, lines, strict=True)] == [
        True
    ] * len(lines)
    assert len(lines) <= 1
    assert start_parts(data_dir, "redis") == (0, [])


@pytest.mark.parametrize("name", ["a\nb", 'a"b\\c', "\u00e4 $x %s '{y}'", "x" * 200])
def test_a_data_directory_may_have_any_name(name: str, folder: Path) -> None:
    data_dir = folder / name

    assert start_parts(data_dir, "redis", "mailbox", "simulator") == (0, [])


@pytest.mark.parametrize("harm", damage.OF_BYTES)
def test_a_damaged_world_is_made_anew(
    harm: Callable[[Path], None], data_dir: Path
) -> None:
    for name in ("world.sqlite3-wal", "world.sqlite3-shm"):
        (data_dir / DataEntry.SIMULATOR / name).unlink(missing_ok=True)
    harm(data_dir / DataEntry.SIMULATOR / "world.sqlite3")

    code, lines = start_parts(data_dir, "simulator")

    assert code == 0, lines
    assert len(lines) == len(list_quarantined(data_dir)) <= 1


def test_a_world_of_another_version_is_made_anew(data_dir: Path) -> None:
    with sqlite3.connect(data_dir / DataEntry.SIMULATOR / "world.sqlite3") as world:
        world.execute('UPDATE records SET body = \'{"of": "another version"}\'')
    world.close()

    code, lines = start_parts(data_dir, "simulator")

    assert code == 0, lines
    assert len(lines) == 1


@pytest.mark.parametrize("name", ["new", "cur", "tmp"])
@pytest.mark.parametrize(
    "harm", [damage.remove, damage.put_file, damage.make_unreadable]
)
def test_a_damaged_mailbox_takes_mails(
    name: str, harm: Callable[[Path], None], data_dir: Path
) -> None:
    harm(data_dir / DataEntry.MAILBOX / name)

    code, lines = start_parts(data_dir, "mailbox")

    assert code == 0, lines
    assert (data_dir / DataEntry.MAILBOX / name).is_dir()


def test_a_taken_port_costs_no_state(data_dir: Path) -> None:
    files = find_redis_file(data_dir, INCREMENT)
    files.write_bytes(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
    before = files.read_bytes()
    port = json.loads((data_dir / DataEntry.PORTS).read_text())["redis"]
    script = data_dir.parent / "redis-server"
    # It takes long enough for another program to take the port before it listens.
    real = find_valkey()
    taken = data_dir.parent / "taken"
    script.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real} --version\n'
        f'while [ ! -e {taken} ]; do sleep 0.05; done\nexec {real} "$@"\n'
    )
    script.chmod(0o700)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "tests.host.parts_of_instance", str(data_dir), "redis"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}"},
    )
    log = data_dir / DataEntry.LOGS / "redis.log"
    log.unlink()
    while not log.exists():
        assert process.poll() is None
    with socket.create_server((HOST, port)):
        taken.touch()
        _, errors = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode == 1
    assert "did not start" in errors
    assert list_quarantined(data_dir) == []
    assert files.read_bytes() == before


def test_a_missing_server_costs_no_state(data_dir: Path) -> None:
    before = damage.read_tree({"aof": find_redis_file(data_dir, INCREMENT)})
    script = data_dir.parent / "redis-server"
    script.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.0.0" || exit 127\n'
    )
    script.chmod(0o700)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.host.parts_of_instance", str(data_dir), "redis"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}"},
    )

    assert done.returncode == 1
    assert list_quarantined(data_dir) == []
    assert damage.read_tree({"aof": find_redis_file(data_dir, INCREMENT)}) == before
