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
_PLACES = ("lib/*/faketime", "lib*/faketime", "local/lib/faketime")


class NoFaketime(RuntimeError):
    """There is no libfaketime here, and how to get it."""


def library() -> Path:
    """Return where libfaketime is."""
    for place in _PLACES:
        for found in sorted(Path("/usr").glob(f"{place}/libfaketimeMT.so.1")):
            return found
    raise NoFaketime(
        "Moving the clocks needs libfaketime: `apt-get install faketime` as root."
    )


def with_faketime(given: Mapping[str, str], clock: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process whose time of day `clock` decides.

    Files keep their real times: Python compares those with its compiled modules'.
    """
    return {
        **without_faketime(given),
        _PRELOAD: str(library()),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "PYTHONPATH": str(SHIM),
        **clock,
    }


def without_faketime(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that goes by the machine's clock."""
    return {
        name: value
        for name, value in given.items()
        if name != _PRELOAD and not name.startswith("FAKETIME")
    }


def offset_s(given: Mapping[str, str]) -> float:
    """Return how far this process's clock is ahead of the machine's."""
    return float(given.get(OFFSET, "0"))
