"""One running part: a process group of its own that ends when we do."""

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
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

from host.logs import MAX_FILE_BYTES, PipeLog

# Elsewhere the system's own libraries may break in a child that goes on without exec.
CAN_FORK = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Part:
    """What to start, how to tell that it works, and how long it may take to end.

    `command` is a program and its arguments or, if `is_module`, one of our modules,
    which has a `main`, and its arguments: it runs in a fork of this process and
    shares the memory of what is loaded here (see `host.preload`).
    `is_healthy`, if given, is asked again and again while it runs.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[["Process"], bool]
    stop_timeout_s: float = 1.0
    is_healthy: Callable[["Process"], bool] | None = None
    max_log_bytes: int = MAX_FILE_BYTES
    is_module: bool = False


class Process:
    """A part that was started; `kill_group` leaves nothing of its group behind.

    `leave` lets a fork of this process forget what belongs to the supervisor.
    """

    def __init__(self, part: Part, detach: Callable[[], None]) -> None:
        self.part = part
        self.started_at = time.monotonic()
        self.output = PipeLog(part.log, part.max_log_bytes)
        self._exit_code: int | None = None
        supervisor_pid = os.getpid()

        def prepare_child() -> None:
            # The kernel ends the part if we are killed and cannot do it.
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != supervisor_pid:
                os._exit(1)

        try:
            if part.is_module and CAN_FORK:
                child = multiprocessing.get_context("fork").Process(
                    target=_run_forked_part,
                    args=(part, self.output, prepare_child, detach),
                )
                child.start()
                self.pid = child.pid or 0
                self._wait: Callable[[], int] = partial(_join, child)
            else:
                program = [sys.executable, "-m"] if part.is_module else []
                popen = subprocess.Popen(
                    [*program, *part.command],
                    env=part.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=self.output.write_fd,
                    stderr=self.output.write_fd,
                    start_new_session=True,
                    preexec_fn=prepare_child,  # noqa: PLW1509 - the supervisor has one thread
                )
                self.pid, self._wait = popen.pid, popen.wait
        finally:
            os.close(self.output.write_fd)

    def has_ended(self) -> bool:
        """Look without reaping, so that the group's number stays ours."""
        if self._exit_code is not None:
            return True
        wait_options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, wait_options) is not None

    def terminate(self) -> None:
        if not self.has_ended():
            os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> int:
        """Kill whatever is left of the part and return how its leader ended."""
        if self._exit_code is None:
            # A fork that has only just begun is not yet the leader of its group.
            for send_signal in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    send_signal(self.pid, signal.SIGKILL)
            self._exit_code = self._wait()
            self.output.finish()
        return self._exit_code

    def output_tail(self) -> str:
        """Return the end of what the part has written since it was started."""
        return self.output.tail_text()


def _run_forked_part(
    part: Part,
    output: PipeLog,
    prepare_child: Callable[[], None],
    detach: Callable[[], None],
) -> None:
    """Be `part` from here on, in a fork of the supervisor."""
    detach()
    output.close()
    os.setsid()
    prepare_child()
    if _LIBC is not None:
        # The command line stays the supervisor's; this is what `ps -e` shows.
        _LIBC.prctl(_PR_SET_NAME, part.name.encode())
    sys.stdout, sys.stderr = (
        _redirect_stream(number, output.write_fd) for number in (1, 2)
    )
    os.environ.clear()
    os.environ.update(part.environment)
    sys.argv = list(part.command)
    sys.exit(import_module(part.command[0]).main())


def _redirect_stream(fd: int, output: int) -> TextIO:
    os.dup2(output, fd)
    return os.fdopen(fd, "w", buffering=1, errors="backslashreplace", closefd=False)


def _join(child: BaseProcess) -> int:
    child.join()
    return child.exitcode or 0


def describe_exit(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
