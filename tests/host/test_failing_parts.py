"""A part that ends again and again: readiness and `doctor` name it, while it does."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from host.cli import main
from host.data_dir import DataDirectory, PartFolder
from host.supervisor import SignalWaiter, StopRequested, Supervisor
from sync import part_failures
from tests.host.supervised_programs import ALONE, build_part, list_processes
from tests.host.test_up import pids
from tests.support.live_instance import LiveInstance, start_instance, wait_for
from tests.support.paths import ROOT
from tests.support.servers import TIMEOUT_S

pytestmark = pytest.mark.processes

ENDS_AT_ONCE = "print('here', flush=True)"
# It cannot start while there is something in its folder.
STUMBLES = (
    "import os, sys, time;"
    "os.listdir({folder!r}) and sys.exit('it is in my way');"
    "print('here', os.getpid(), flush=True); time.sleep(60)"
)


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def supervisor(messages: list[str]) -> Iterator[Supervisor]:
    with SignalWaiter() as waiter:
        supervised = Supervisor(waiter, messages.append, check_interval_s=0.05)
        yield supervised
        supervised.stop(["part"])


def stop_when(condition: Callable[[], bool]) -> Callable[[object], bool]:
    """Return a check of a part's health that ends the supervisor's loop."""

    def check(_process: object) -> bool:
        if condition():
            os.kill(os.getpid(), signal.SIGTERM)
        return True

    return check


def run_until_stopped(supervisor: Supervisor) -> None:
    with pytest.raises(StopRequested):
        supervisor.run_until_stopped()


def test_a_part_that_ends_again_and_again_is_published_until_it_recovers(
    folder: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_failures, "MIN_RECOVERY_S", 1.0)
    published: list[Mapping[str, int]] = []
    supervisor.publish_failing = published.append
    lives = folder / "lives"
    code = (
        f"import pathlib, time; lives = pathlib.Path({str(lives)!r});"
        "n = len(lives.read_text()) if lives.exists() else 0;"
        "lives.write_text('x' * (n + 1)); print('here', flush=True);"
        "time.sleep(0 if n < 4 else 60)"
    )
    part = build_part(folder, code)
    supervisor.start(
        [replace(part, is_healthy=stop_when(lambda: published[-1:] == [{}]))]
    )

    run_until_stopped(supervisor)

    assert [dict(failing) for failing in published] == [
        {"part": part_failures.MIN_ENDS},
        {"part": part_failures.MIN_ENDS + 1},
        {},
    ]


def test_a_part_whose_files_are_spoiled_while_it_runs_starts_without_them(
    folder: Path, supervisor: Supervisor, messages: list[str]
) -> None:
    log, own = folder / "part.log", folder / "own"
    own.mkdir()
    home = DataDirectory(folder, messages.append)
    supervisor.start(
        [
            replace(
                build_part(folder, STUMBLES.format(folder=str(own))),
                folder=PartFolder(own, home, own.mkdir),
                is_healthy=stop_when(lambda: len(list_processes_that_run(log)) == 2),
            )
        ]
    )
    (own / "noise").touch()
    os.kill(list_processes_that_run(log)[0], signal.SIGSEGV)

    run_until_stopped(supervisor)

    [renamed] = folder.glob("own.set-aside-*")
    assert (renamed / "noise").exists()
    assert [line for line in messages if renamed.name in line]


def list_processes_that_run(log: Path) -> list[int]:
    """Return the processes that a part has told of; not its complaints."""
    text = log.read_text() if log.exists() else ""
    lines = text.rpartition("\n")[0].splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("here")]


def test_a_part_that_others_kill_keeps_its_files(
    folder: Path, supervisor: Supervisor, messages: list[str]
) -> None:
    log, own = folder / "part.log", folder / "own"
    own.mkdir()
    home = DataDirectory(folder, messages.append)
    killed: list[int] = []

    def kill_again(_process: object) -> bool:
        for pid in list_processes(log):
            if pid not in killed:
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)
        if len(killed) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return True

    supervisor.start(
        [
            replace(
                build_part(folder, ALONE),
                folder=PartFolder(own, home, own.mkdir),
                is_healthy=kill_again,
            )
        ]
    )

    run_until_stopped(supervisor)

    assert list(folder.glob("own.set-aside-*")) == []


def test_files_that_are_not_to_blame_come_back(
    folder: Path, supervisor: Supervisor, messages: list[str]
) -> None:
    own = folder / "own"
    own.mkdir()
    (own / "file").touch()
    home = DataDirectory(folder, messages.append)
    log = folder / "part.log"

    def stop_after_many(_process: object) -> bool:
        if log.read_text().count("here") >= 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return True

    watcher = replace(
        build_part(folder, ALONE, name="watcher"), is_healthy=stop_after_many
    )
    part = replace(
        build_part(folder, f"{ENDS_AT_ONCE}; raise SystemExit(1)"),
        folder=PartFolder(own, home, own.mkdir),
    )
    supervisor.start([watcher, part])

    run_until_stopped(supervisor)
    supervisor.stop(["watcher"])

    assert (own / "file").exists()
    assert list(folder.glob("own.set-aside-*")) == []


def test_a_program_that_is_gone_does_not_end_the_others(
    folder: Path, supervisor: Supervisor, messages: list[str]
) -> None:
    """A package that is updated is missing for a moment."""
    log, program = folder / "part.log", folder / "program"
    program.symlink_to(sys.executable)
    part = build_part(folder, ALONE)
    seen: list[int] = []

    def bring_back(_process: object) -> bool:
        if len(messages) >= 2 and not program.is_symlink():
            program.symlink_to(sys.executable)
        seen[:] = list_processes(log)
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return True

    watcher = replace(build_part(folder, ALONE, name="watcher"), is_healthy=bring_back)
    supervisor.start(
        [watcher, replace(part, command=[str(program), *part.command[1:]])]
    )
    program.unlink()
    os.kill(list_processes(log)[0], signal.SIGKILL)

    run_until_stopped(supervisor)
    supervisor.stop(["watcher"])

    assert "cannot be started" in messages[1]


def test_a_worker_whose_schedule_ends_ends_with_it() -> None:
    code = "from workers.worker import keep_schedule; keep_schedule('nonsense://x')"

    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"{code}; print('it goes on')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )

    assert done.returncode == 1
    assert "schedule ended" in done.stdout + done.stderr
    assert "it goes on" not in done.stdout


def is_ready(running: LiveInstance) -> bool:
    answer = requests.get(f"{running.url}/readyz", timeout=TIMEOUT_S)
    return answer.status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("part", ["worker", "mailbox"])
def test_readiness_and_doctor_name_a_part_until_it_recovers(
    part: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with start_instance(folder / "data") as running:
        wait_for(lambda: is_ready(running))
        for _ in range(part_failures.MIN_ENDS):
            old = wait_for(lambda: pids(running).get(part))
            os.kill(old, signal.SIGKILL)
            wait_for(lambda old=old: pids(running).get(part, old) != old)

        answer = wait_for(lambda: None if is_ready(running) else "red")
        report = requests.get(f"{running.url}/readyz", timeout=TIMEOUT_S).json()
        code = main(["doctor", "parts", "--data-dir", str(running.data_dir)])

        assert answer == "red"
        assert report["failing_parts"] == {part: part_failures.MIN_ENDS}
        assert code == 1
        assert f"{part} ({part_failures.MIN_ENDS})" in capsys.readouterr().out
        wait_for(lambda: is_ready(running))
        assert main(["doctor", "parts", "--data-dir", str(running.data_dir)]) == 0
