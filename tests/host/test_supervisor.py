"""The supervisor: restarts what falls, ends everything, leaves nobody behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from host.errors import StartupError
from host.health import is_alive
from host.process import CAN_FORK, Part, PartProcess
from host.supervisor import SignalWaiter, StopRequested, Supervisor, get_restart_wait_s
from tests.host.supervised_programs import (
    ALONE,
    FAMILY,
    STUBBORN,
    build_heartbeat_part,
    build_part,
    build_writing_part,
    is_running,
    list_processes,
)
from tests.support.paths import ROOT
from tests.support.servers import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def supervisor(messages: list[str]) -> Iterator[Supervisor]:
    with SignalWaiter() as waiter:
        yield Supervisor(waiter, messages.append)


def test_a_part_and_its_children_end_together(
    folder: Path, supervisor: Supervisor
) -> None:
    supervisor.start([build_part(folder, FAMILY)])
    [child] = list_processes(folder / "part.log")

    supervisor.stop(["part"])

    wait_until(lambda: not is_running(child))


def test_a_part_that_will_not_end_is_killed(
    folder: Path, supervisor: Supervisor
) -> None:
    supervisor.start([build_part(folder, STUBBORN)])
    [pid] = list_processes(folder / "part.log")

    supervisor.stop(["part"])

    assert not is_running(pid)


def test_a_killed_part_is_started_again_without_its_old_children(
    folder: Path, supervisor: Supervisor, messages: list[str]
) -> None:
    log = folder / "part.log"
    supervisor.start([build_part(folder, FAMILY)])
    [old] = list_processes(log)
    os.kill(os.getpgid(old), signal.SIGKILL)

    run_supervisor_until(
        supervisor, lambda: wait_until(lambda: len(list_processes(log)) == 2)
    )

    assert not is_running(old)
    assert messages == [
        "The part part ended (signal SIGKILL); starting it again in 0.1 s."
    ]
    supervisor.stop(["part"])


@pytest.mark.parametrize("kind", [build_writing_part, build_heartbeat_part])
def test_a_part_that_hangs_is_started_again(
    kind: Callable[[Path], tuple[str, Callable[[PartProcess], bool]]],
    folder: Path,
    supervisor: Supervisor,
    messages: list[str],
) -> None:
    log, (code, is_well) = folder / "part.log", kind(folder)
    supervisor.check_interval_s, supervisor.max_failed_checks = 0.2, 2
    answers: list[bool] = []
    stopped: list[int] = []

    def answers_unless_stopped(process: PartProcess) -> bool:
        # A part that a busy machine keeps waiting is slow and has not hung.
        answers.append(is_well(process))
        return answers[-1] or process.pid not in stopped

    supervisor.start(
        [replace(build_part(folder, code), is_healthy=answers_unless_stopped)]
    )
    [old] = list_processes(log)

    def hang() -> None:
        wait_until(lambda: True in answers)
        stopped.append(old)
        os.kill(old, signal.SIGSTOP)
        wait_until(lambda: len(list_processes(log)) == 2)

    run_supervisor_until(supervisor, hang)

    assert not is_running(old)
    assert messages[:2] == [
        "The part part has hung.",
        "The part part ended (signal SIGKILL); starting it again in 0.1 s.",
    ]
    supervisor.stop(["part"])


def run_supervisor_until(supervisor: Supervisor, happens: Callable[[], None]) -> None:
    """Let the supervisor watch until all of it has happened."""
    failed: list[Exception] = []

    def happen_and_stop() -> None:
        try:
            happens()
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=happen_and_stop).start()
    with pytest.raises(StopRequested):
        supervisor.run_until_stopped()
    assert failed == []


def test_a_part_that_is_slow_for_once_is_left_alone(
    folder: Path, supervisor: Supervisor, messages: list[str]
) -> None:
    answers = [False, True] * 3

    def is_well(_process: PartProcess) -> bool:
        if not answers:
            os.kill(os.getpid(), signal.SIGTERM)
            return True
        return answers.pop(0)

    supervisor.check_interval_s, supervisor.max_failed_checks = 0.0, 2
    supervisor.start([replace(build_part(folder, ALONE), is_healthy=is_well)])

    with pytest.raises(StopRequested):
        supervisor.run_until_stopped()

    assert messages == []
    supervisor.stop(["part"])


def test_a_part_that_cannot_start_is_told_with_its_last_words(
    folder: Path, supervisor: Supervisor
) -> None:
    broken = build_part(folder, "raise SystemExit('no such door')")

    with pytest.raises(StartupError, match="did not start: no such door"):
        supervisor.start([broken])


def test_a_single_errand_passes_its_sentence_on(
    folder: Path, supervisor: Supervisor
) -> None:
    errand = build_part(folder, "raise SystemExit('moodmiles: The door is shut.')")

    with pytest.raises(StartupError, match=r"^The door is shut\.$"):
        supervisor.run_once(errand)


def test_a_single_errand_that_breaks_names_its_log(
    folder: Path, supervisor: Supervisor
) -> None:
    with pytest.raises(StartupError, match=r"part failed; see .*part\.log"):
        supervisor.run_once(build_part(folder, "1 / 0"))


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(1, 0.1), (2, 0.2), (5, 1.6), (20, 30.0), (10_000, 30.0)]
)
def test_the_waits_grow_and_have_an_end(failures: int, wait_s: float) -> None:
    assert get_restart_wait_s(failures) == wait_s


# A fork wants a process with one thread, which a test's own may not be.
SUPERVISED = """
from pathlib import Path
from tests.host.test_supervisor import *
folder = Path({folder!r})
with SignalWaiter() as waiter:
    supervisor = Supervisor(waiter, print)
    try:
        supervisor.start([{part}])
        supervisor.run_until_stopped()
    except StopRequested:
        supervisor.stop(["part"])
"""
PROGRAM = "build_part(folder, ALONE)"
FORK = (
    "replace(build_part(folder, ''), command=['tests.host.forked_process', 'word'],"
    " is_module=True, environment={'TOLD': 'this'})"
)


@contextmanager
def start_supervised(folder: Path, part: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a supervisor of one part, which has started."""
    code = SUPERVISED.format(folder=str(folder), part=part)
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)  # noqa: S603
    try:
        wait_until(lambda: len(list_processes(folder / "part.log")) == 1)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("kind", [PROGRAM, FORK])
def test_nothing_outlives_a_killed_supervisor(kind: str, folder: Path) -> None:
    with start_supervised(folder, kind):
        [pid] = list_processes(folder / "part.log")

    wait_until(lambda: not is_running(pid))


@pytest.mark.skipif(not CAN_FORK, reason="parts are programs here")
def test_a_fork_is_a_part_like_any_other(folder: Path) -> None:
    with start_supervised(folder, FORK) as ours:
        [pid] = list_processes(folder / "part.log")
        log_text = (folder / "part.log").read_text()

        assert log_text == f"here {pid} TOLD word plain=True\n"
        assert Path(f"/proc/{pid}/comm").read_text() == "part\n"
        assert os.getsid(pid) == pid
        ours.send_signal(signal.SIGINT)
        assert ours.wait(10) == 0
        assert not is_running(pid)


# The first has ended, and nobody has looked, when the second is forked.
FORKED_TOGETHER = """
from tests.host.test_supervisor import *
folder = Path({folder!r})
def fork(name, *arguments):
    part = replace(
        build_part(folder, "", name=name),
        command=["tests.host.forked_process", *arguments],
        is_module=True,
    )
    return PartProcess(part, waiter.detach)
with SignalWaiter() as waiter:
    first = fork("first", "3")
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    second = fork("second")
    print(first.has_ended(), second.has_ended(), first.kill_group())
    second.kill_group()
"""


@pytest.mark.skipif(not CAN_FORK, reason="parts are programs here")
def test_parts_that_end_at_once_are_each_seen_to(folder: Path) -> None:
    code = FORKED_TOGETHER.format(folder=str(folder))

    output = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)  # noqa: S603

    assert output == "True False 3\n"


def test_something_alive_is_ready(folder: Path, supervisor: Supervisor) -> None:
    quiet = build_part(folder, "import time; time.sleep(60)")

    supervisor.start(
        [
            Part(
                name=quiet.name,
                command=quiet.command,
                environment=quiet.environment,
                log=quiet.log,
                is_ready=is_alive,
            )
        ]
    )

    supervisor.stop(["part"])
