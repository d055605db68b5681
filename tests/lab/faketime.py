"""Other clocks for whole processes, by libfaketime.

Durations go on by the real clock: only the time of day is another one.  Every child
process inherits the clock, so that ours, PostgreSQL and Redis agree.  A browser does
not: Chromium's sandbox and timers stall under libfaketime.  Its own clock decides
nothing here, for our cookies end by `Max-Age`.
"""

from collections.abc import Mapping
from pathlib import Path

SHIM = Path(__file__).with_name("shim")
OFFSET = "FAKETIME"
_PRELOAD = "LD_PRELOAD"
_LIBRARY_GLOBS = ("lib/*/faketime", "lib*/faketime", "local/lib/faketime")


class FaketimeNotFound(RuntimeError):
    """There is no libfaketime here, and how to get it."""


def find_library() -> Path:
    """Return where libfaketime is."""
    for pattern in _LIBRARY_GLOBS:
        for path in sorted(Path("/usr").glob(f"{pattern}/libfaketimeMT.so.1")):
            return path
    raise FaketimeNotFound(
        "Moving the clocks needs libfaketime: `apt-get install faketime` as root."
    )


def with_faketime(
    environment: Mapping[str, str], clock: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a process whose time of day `clock` decides.

    Files keep their real times: Python compares those with its compiled modules'.
    """
    return {
        **without_faketime(environment),
        _PRELOAD: str(find_library()),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "PYTHONPATH": str(SHIM),
        **clock,
    }


def without_faketime(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that goes by the machine's clock."""
    return {
        name: value
        for name, value in environment.items()
        if name != _PRELOAD and not name.startswith("FAKETIME")
    }


def offset_s(environment: Mapping[str, str]) -> float:
    """Return how far this process's clock is ahead of the machine's."""
    return float(environment.get(OFFSET, "0"))
