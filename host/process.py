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

from host.logs import FILE_BYTES, Output

# Elsewhere the system's own libraries may break in a child that goes on without exec.
FORKS = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Part:
    """What to start, how to tell that it works, and how long it may take to end.

    `command` is a program and its arguments or, if `is_ours`, one of our modules,
    which has a `main`, and its arguments: it runs in a fork of this process and
    shares the memory of what is loaded here (see `host.preload`).
    `is_well`, if there is such a test, is asked again and again while it runs.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[["Process"], bool]
    ends_within_s: float = 1.0
    is_well: Callable[["Process"], bool] | None = None
    log_bytes: int = FILE_BYTES
    is_ours: bool = False


class Process:
    """A part that was started; `kill_group` leaves nothing of its group behind.

    `leave` lets a fork of this process forget what belongs to the supervisor.
    """

    def __init__(self, part: Part, leave: Callable[[], None]) -> None:
        self.part = part
        self.started_at = time.monotonic()
        self.output = Output(part.log, part.log_bytes)
        self._code: int | None = None
        us = os.getpid()

        def prepare() -> None:
            # The kernel ends the part if we are killed and cannot do it.
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != us:
                os._exit(1)

        try:
            if part.is_ours and FORKS:
                child = multiprocessing.get_context("fork").Process(
                    target=_become, args=(part, self.output, prepare, leave)
                )
                child.start()
                self.pid = child.pid or 0
                self._wait: Callable[[], int] = partial(_join, child)
            else:
                program = [sys.executable, "-m"] if part.is_ours else []
                popen = subprocess.Popen(
                    [*program, *part.command],
                    env=part.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=self.output.writing,
                    stderr=self.output.writing,
                    start_new_session=True,
                    preexec_fn=prepare,  # noqa: PLW1509 - the supervisor has one thread
                )
                self.pid, self._wait = popen.pid, popen.wait
        finally:
            os.close(self.output.writing)

    def has_ended(self) -> bool:
        """Look without reaping, so that the group's number stays ours."""
        if self._code is not None:
            return True
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, how) is not None

    def ask_to_end(self) -> None:
        if not self.has_ended():
            os.kill(self.pid, signal.SIGTERM)

    def kill_group(self) -> int:
        """Kill whatever is left of the part and return how its leader ended."""
        if self._code is None:
            # A fork that has only just begun is not yet the leader of its group.
            for kill in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    kill(self.pid, signal.SIGKILL)
            self._code = self._wait()
            self.output.finish()
        return self._code

    def said(self) -> str:
        """Return the end of what the part has written since it was started."""
        return self.output.text()


def _become(
    part: Part,
    output: Output,
    prepare: Callable[[], None],
    leave: Callable[[], None],
) -> None:
    """Be `part` from here on, in a fork of the supervisor."""
    leave()
    output.close()
    os.setsid()
    prepare()
    if _LIBC is not None:
        # The command line stays the supervisor's; this is what `ps -e` shows.
        _LIBC.prctl(_PR_SET_NAME, part.name.encode())
    sys.stdout, sys.stderr = (_onto(number, output.writing) for number in (1, 2))
    os.environ.clear()
    os.environ.update(part.environment)
    sys.argv = list(part.command)
    sys.exit(import_module(part.command[0]).main())


def _onto(number: int, output: int) -> TextIO:
    os.dup2(output, number)
    return os.fdopen(number, "w", buffering=1, errors="backslashreplace", closefd=False)


def _join(child: BaseProcess) -> int:
    child.join()
    return child.exitcode or 0


def ending(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
