"""One running part: a process group of its own that ends when we do."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from host.logs import FILE_BYTES, Output

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Part:
    """What to start, how to tell that it works, and how long it may take to end.

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


class Process:
    """A part that was started; `end` leaves nothing of its group behind."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.started_at = time.monotonic()
        self.output = Output(part.log, part.log_bytes)
        us = os.getpid()

        def prepare() -> None:
            # The kernel ends the part if we are killed and cannot do it.
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != us:
                os._exit(1)

        try:
            self._popen = subprocess.Popen(
                part.command,
                env=part.environment,
                stdin=subprocess.DEVNULL,
                stdout=self.output.writing,
                stderr=self.output.writing,
                start_new_session=True,
                preexec_fn=prepare,  # noqa: PLW1509 - the supervisor has one thread
            )
        finally:
            os.close(self.output.writing)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def has_ended(self) -> bool:
        """Look without reaping, so that the group's number stays ours."""
        if self._popen.returncode is not None:
            return True
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.pid, how) is not None

    def ask_to_end(self) -> None:
        if not self.has_ended():
            self._popen.terminate()

    def kill_group(self) -> int:
        """Kill whatever is left of the part and return how its leader ended."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        code = self._popen.wait()
        self.output.finish()
        return code

    def said(self) -> str:
        """Return the end of what the part has written since it was started."""
        return self.output.text()


def ending(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
