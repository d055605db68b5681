"""The data directory: private, held by one instance, with secrets that stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE

import pytest

from host.data_dir import UnreadableFile, lock_data_directory, read_object
from host.data_entries import DataEntry
from host.errors import StartupError
from tests.support.paths import ROOT


def get_mode(path: Path) -> int:
    return S_IMODE(path.stat().st_mode)


def test_a_new_data_directory_is_private(folder: Path) -> None:
    with lock_data_directory(folder / "a" / "b") as home:
        home.store_secrets(home.load_secrets())

    assert get_mode(folder / "a") == get_mode(folder / "a" / "b") == 0o700
    assert get_mode(home.path / DataEntry.SECRETS) == 0o600


def test_an_empty_directory_is_made_private(folder: Path) -> None:
    (folder / "data").mkdir(mode=0o755)

    with lock_data_directory(folder / "data") as home:
        assert get_mode(home.path) == 0o700


def test_somebody_elses_directory_is_left_alone(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "letter.txt").touch()

    with (
        pytest.raises(StartupError, match="holds other files"),
        lock_data_directory(folder),
    ):
        pass

    assert get_mode(folder) == 0o755


def start_second_process(folder: Path, code: str) -> str:
    """Let another process open the data directory; return what it says."""
    lines = [
        "import os, time",
        "from pathlib import Path",
        "from host.data_dir import *",
    ]
    lines += [
        f"with lock_data_directory(Path({str(folder / 'data')!r})):",
        f"    {code}",
    ]
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", "\n".join(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stderr


@pytest.mark.processes
def test_a_second_instance_is_refused(folder: Path) -> None:
    with lock_data_directory(folder / "data"):
        assert "Another instance is running" in start_second_process(folder, "pass")


@pytest.mark.processes
def test_a_fork_that_outlives_an_instance_does_not_hold_its_place(folder: Path) -> None:
    fork = "pid = os.fork(); os.closerange(0, 3); pid or time.sleep(60)"
    code = f"{fork}; Path({str(folder / 'fork')!r}).write_text(str(pid))"

    start_second_process(folder, code)
    fork_pid = int((folder / "fork").read_text())

    with lock_data_directory(folder / "data"):
        os.kill(fork_pid, signal.SIGKILL)


def test_a_directory_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / "data").touch()

    with (
        pytest.raises(StartupError, match="cannot be used"),
        lock_data_directory(folder / "data"),
    ):
        pass


def test_secrets_are_made_once(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home:
        first = home.load_secrets()
        assert home.load_secrets() != first
        home.store_secrets(first)

    with lock_data_directory(folder / "data") as home:
        assert home.load_secrets() == first

    assert len(set(first.values())) == len(first)


def test_a_file_of_a_size_that_none_has_is_not_read(folder: Path) -> None:
    path = folder / DataEntry.PORTS
    path.write_text('{"redis": 12345}')
    # JSON may end in spaces, so that only its size is wrong.
    with path.open("a") as file:
        file.write(" " * 2_000_000)

    with pytest.raises(UnreadableFile, match="damaged"):
        read_object(path)


def test_spoiled_secrets_are_not_replaced(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home:
        (home.path / DataEntry.SECRETS).write_text("{")

        with pytest.raises(StartupError, match="restore it from a backup"):
            home.load_secrets()


def test_the_logs_of_the_last_starts_are_kept(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home:
        for start in range(7):
            home.rotate_log("web").write_text(str(start))

    logs = {path.name: path.read_text() for path in home.logs.iterdir()}
    assert logs == {
        "web.log": "6",
        "web.log.1": "5",
        "web.log.2": "4",
        "web.log.3": "3",
        "web.log.4": "2",
    }
