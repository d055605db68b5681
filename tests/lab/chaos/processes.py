"""Processes of ours that may be killed at any moment and are started again."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen


class KillableProcess:
    """One part as a club runs it, in a process group of its own."""

    def __init__(self, part: str, log: Path, environment: Mapping[str, str]) -> None:
        self.name = log.stem
        self.log = log
        self.deaths = 0
        self._part = part
        self._environment = environment
        self._process: Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self._process = Popen(  # noqa: S603
                [sys.executable, "-m", "host.cli", self._part],
                env=self._environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def keep_running(self) -> None:
        """Start it again if it has ended, as whoever runs a club's services does."""
        if not self.is_running:
            self._kill_group()
            self.start()

    def kill(self) -> None:
        """End it and its children without a warning."""
        self.deaths += 1
        self._kill_group()

    def kill_child(self) -> bool:
        """End one of its children alone; False if there is none."""
        for pid in self._children():
            self.deaths += 1
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            return True
        return False

    def stop(self) -> None:
        """End it for good; how parts end in peace is a test of its own."""
        self._kill_group()

    def _children(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            return []
        pid = self._process.pid
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            return [int(child) for child in children.split()]
        return []

    def _kill_group(self) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def run_once(arguments: list[str], environment: Mapping[str, str]) -> None:
    """Run one of our commands to its good end."""
    command = [sys.executable, "-m", "host.cli", *arguments]
    process = Popen(command, env=environment, stdout=DEVNULL)  # noqa: S603
    code = process.wait()
    assert code == 0, f"moodmiles {' '.join(arguments)} ended with {code}"
