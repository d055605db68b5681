"""A part's process: the leader of a process group, which ends with the supervisor."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from host.data_dir import PartFolder
from host.logs import MAX_FILE_BYTES, PipeLog

# On other systems, system libraries may fail in a forked child that calls no exec.
CAN_FORK = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an instance: its command, the checks of its state, its time to end.

    `command` is a program and its arguments or, if `is_module`, one of our modules,
    which has a `main`, and its arguments: it runs in a fork of this process and
    shares the memory of the modules loaded here (see `host.preload`).
    `is_healthy`, if given, is called at intervals while the part runs.  `folder`, if
    given, holds what the part can start without.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[["PartProcess"], bool]
    stop_timeout_s: float = 1.0
    is_healthy: Callable[["PartProcess"], bool] | None = None
    max_log_bytes: int = MAX_FILE_BYTES
    is_module: bool = False
    folder: PartFolder | None = None


class PartProcess:
    """A part that was started, the leader of a process group.

    `detach` is called in a fork and releases all that belongs to the supervisor.
    """

    def __init__(self, part: Part, detach: Callable[[], None]) -> None:
        self.part = part
        self.started_at = time.monotonic()
        self.output = PipeLog(part.log, part.max_log_bytes)
        self._exit_code: int | None = None
        self.pid: int
        self._wait: Callable[[], int]
        try:
            if part.is_module and CAN_FORK:
                self._start_fork(detach)
            else:
                self._start_program()
        except BaseException:
            self.output.close()
            raise
        finally:
            os.close(self.output.write_fd)

    def _start_fork(self, detach: Callable[[], None]) -> None:
        """Start a module in a fork, which shares the memory of this process."""
        child = multiprocessing.get_context("fork").Process(
            target=_run_forked_part,
            args=(self.part, self.output, os.getpid(), detach),
        )
        child.start()

        def join_child() -> int:
            child.join()
            return child.exitcode or 0

        self.pid, self._wait = child.pid or 0, join_child

    def _start_program(self) -> None:
        """Start a program, or a module in a new interpreter."""
        interpreter = [sys.executable, "-m"] if self.part.is_module else []
        popen = subprocess.Popen(
            [*interpreter, *self.part.command],
            env=self.part.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output.write_fd,
            stderr=self.output.write_fd,
            start_new_session=True,
            preexec_fn=partial(_end_with, os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
        )
        self.pid, self._wait = popen.pid, popen.wait

    def has_ended(self) -> bool:
        """Whether the leader has ended; it is not reaped, so its id is not reused."""
        if self._exit_code is not None:
            return True
        wait_options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, wait_options) is not None
        # `multiprocessing` reaps, at each fork, those of before that have ended.
        except ChildProcessError:
            return True

    def terminate(self) -> None:
        if not self.has_ended():
            os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> int:
        """Kill the rest of the part's group and return its leader's exit code."""
        if self._exit_code is None:
            # A fork that has only just begun is not yet the leader of its group.
            for send_signal in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    send_signal(self.pid, signal.SIGKILL)
            self._exit_code = self._wait()
            self.output.finish()
        return self._exit_code

    def output_tail(self) -> str:
        """Return the end of the part's output since its start."""
        return self.output.tail_text()


def _end_with(supervisor_pid: int) -> None:
    """Let the kernel end this child when the supervisor ends, even if it is killed."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor_pid:
        os._exit(1)


def _run_forked_part(
    part: Part, output: PipeLog, supervisor_pid: int, detach: Callable[[], None]
) -> None:
    """Run `part` in a fork of the supervisor; never returns."""
    detach()
    output.close()
    os.setsid()
    _end_with(supervisor_pid)
    if _LIBC is not None:
        # The command line stays the supervisor's; this is what `ps -e` shows.
        _LIBC.prctl(_PR_SET_NAME, part.name.encode())
    for name, number in (("stdout", 1), ("stderr", 2)):
        os.dup2(output.write_fd, number)
        stream = os.fdopen(
            number, "w", buffering=1, errors="backslashreplace", closefd=False
        )
        setattr(sys, name, stream)
    os.environ.clear()
    os.environ.update(part.environment)
    sys.argv = list(part.command)
    sys.exit(import_module(part.command[0]).main())


def describe_exit(code: int) -> str:
    """Describe how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
