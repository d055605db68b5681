"""What the parts write is carried into files that stay small, to the last word."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from host.errors import StartupError
from host.logs import CHUNK_BYTES, MAX_FILES, RotatingFile
from host.supervisor import SignalWaiter, StopRequested, Supervisor
from tests.host.supervised_programs import ALONE, build_part
from tests.support.servers import wait_until

pytestmark = pytest.mark.processes

LIMIT = 100_000
LINES = 60_000  # of ten bytes: six times as much as one file may hold
COUNTS = (
    f"for number in range({LINES}): print(f'{{number:09}}')\n"
    "__import__('sys').stdout.flush()\n"  # what is printed to stderr comes after it
)
READY = "print('here', flush=True)\n"
LASTS = "import time; time.sleep(60)\n"
TELLS_THE_END = "open({file!r}, 'w').close()\n"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with SignalWaiter() as waiter:
        yield Supervisor(waiter, print)


def list_log_files(folder: Path) -> list[Path]:
    """Return the part's files, the oldest first."""
    return sorted(folder.glob("part.log*"), reverse=True)


def read_newest_lines(folder: Path) -> list[str]:
    return "".join(file.read_text() for file in list_log_files(folder)).splitlines()


def test_a_part_that_writes_and_writes_fills_five_files_and_no_more(
    folder: Path, supervisor: Supervisor
) -> None:
    pid_file = folder / "told"
    code = READY + COUNTS + TELLS_THE_END.format(file=str(pid_file)) + LASTS
    supervisor.start([replace(build_part(folder, code), max_log_bytes=LIMIT)])

    def leave() -> None:
        try:
            wait_until(pid_file.exists)
            wait_until(lambda: read_newest_lines(folder)[-1:] == [f"{LINES - 1:09}"])
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=leave).start()
    with pytest.raises(StopRequested):
        supervisor.run_until_stopped()

    assert [file.name for file in list_log_files(folder)] == [
        *(f"part.log.{age}" for age in range(MAX_FILES - 1, 0, -1)),
        "part.log",
    ]
    assert all(file.stat().st_size <= LIMIT for file in list_log_files(folder))
    lines = read_newest_lines(folder)
    assert len(lines) > (MAX_FILES - 1) * (LIMIT - 2 * CHUNK_BYTES) / 10
    assert lines == [f"{number:09}" for number in range(LINES - len(lines), LINES)]
    supervisor.stop(["part"])


@pytest.mark.parametrize("code", [COUNTS + READY + LASTS, READY + COUNTS + LASTS])
def test_a_part_is_ready_however_much_it_writes_before_and_after(
    code: str, folder: Path, supervisor: Supervisor
) -> None:
    supervisor.start([replace(build_part(folder, code), max_log_bytes=LIMIT)])

    supervisor.stop(["part"])


def test_the_last_words_are_known_over_a_new_file(
    folder: Path, supervisor: Supervisor
) -> None:
    code = COUNTS + "raise SystemExit('moodmiles: The door is shut.')"

    with pytest.raises(StartupError, match=r"^The door is shut\.$"):
        supervisor.run_once(replace(build_part(folder, code), max_log_bytes=LIMIT))

    assert read_newest_lines(folder)[-1] == "moodmiles: The door is shut."


def test_a_killed_part_leaves_its_last_words(
    folder: Path, supervisor: Supervisor
) -> None:
    code = "import os\nos.write(2, b'no line' * 9_000 + b'!')\nos.kill(os.getpid(), 9)"

    with pytest.raises(StartupError, match=r"no line! \(its log:"):
        supervisor.start([build_part(folder, code)])

    assert (folder / "part.log").read_text() == "no line" * 9_000 + "!"


def test_a_part_that_is_ended_leaves_its_goodbye(
    folder: Path, supervisor: Supervisor
) -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(15, lambda *_: sys.exit('goodbye'))\n" + READY + LASTS
    )
    supervisor.start([replace(build_part(folder, code), stop_timeout_s=30)])

    supervisor.stop(["part"])

    assert read_newest_lines(folder) == ["here", "goodbye"]


def test_a_part_lives_on_a_full_disk(folder: Path, supervisor: Supervisor) -> None:
    full = replace(build_part(folder, READY + LASTS), log=Path("/dev/full"))

    supervisor.start([full])

    supervisor.stop(["part"])


def test_another_start_writes_on(folder: Path, supervisor: Supervisor) -> None:
    for _ in range(2):
        supervisor.start([build_part(folder, ALONE)])
        supervisor.stop(["part"])

    assert len(read_newest_lines(folder)) == 2


def test_a_line_without_an_end_fills_no_disk(folder: Path) -> None:
    log = RotatingFile(folder / "part.log", LIMIT)

    for _ in range(100):
        log.write(b"x" * CHUNK_BYTES)
    log.close()

    assert len(list_log_files(folder)) == MAX_FILES
    assert all(file.stat().st_size <= LIMIT for file in list_log_files(folder))
