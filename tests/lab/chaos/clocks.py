"""One story's time for every process, and wrong clocks for some, by libfaketime."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from typing_extensions import override

from sync.clock import utc_now
from tests.lab.faketime import offset_s, with_faketime
from tests.support.clock import ManualClock


class FaketimeClocks(ManualClock):
    """Goes with the machine's clock, so far ahead of it; each process follows.

    A process reads its own file each time that it asks for the time, so it can
    be moved while the process runs.  What measures durations goes on evenly.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._lock = Lock()
        # The whole story may itself be told on another day.
        self._all_ahead_s = offset_s(os.environ)
        self._wrong_by_s: dict[str, float] = {}
        self.ahead_s = 0.0

    @override
    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self.ahead_s)

    @override
    def advance(self, **time: float) -> None:
        """Move everybody's clock."""
        with self._lock:
            self.ahead_s += timedelta(**time).total_seconds()
            for name in self._wrong_by_s:
                self._write(name)

    def forward_to(self, at: datetime) -> None:
        self.advance(seconds=max(0.0, (at - self()).total_seconds()))

    def set_offset(self, name: str, by_s: float) -> None:
        """Let one process's clock differ from all others; 0 mends it."""
        with self._lock:
            self._wrong_by_s[name] = by_s
            self._write(name)

    def environment(
        self, name: str, base_environment: Mapping[str, str]
    ) -> dict[str, str]:
        """Return what a process is told, so that its clock is ours to move."""
        self.set_offset(name, 0.0)
        variables = {"FAKETIME_TIMESTAMP_FILE": str(self._file(name))}
        return with_faketime(base_environment, variables | {"FAKETIME_NO_CACHE": "1"})

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.clock"

    def _write(self, name: str) -> None:
        # Renamed into place: nobody may read half an offset.
        draft = self._folder / f"{name}.draft"
        ahead_s = self._all_ahead_s + self.ahead_s + self._wrong_by_s[name]
        draft.write_text(f"{ahead_s:+.3f}\n")
        draft.chmod(0o644)
        draft.replace(self._file(name))
