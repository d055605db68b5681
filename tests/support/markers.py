"""What a test needs besides Python: marks from its fixtures, and who forgot one.

`make quick` leaves out what is marked here. A mark comes from the fixtures that a
test asks for, so no list of files can grow old; whatever starts a program of its own
says `processes`, and a test that starts one without a word fails.
"""

import subprocess
from collections.abc import Iterator
from functools import wraps
from os import PathLike
from typing import Any

import pytest

# A fixture or a parameter, and the mark of a test that asks for it.
BY_FIXTURE = {
    "chrome": "browser",
    "postgres_url": "postgresql",
    "worker_pool": "processes",
}
BY_VALUE = {"postgresql": "postgresql", "runs-10000": "slow"}
# It comes with the virtual environment and is up in a moment.
ALLOWED_PROGRAM = "valkey-server"
PROGRAMS = ("browser", "postgresql", "processes")
# A long test that begins last keeps one core busy and the others idle.
FIRST = ("processes", "browser", "slow")


class UnmarkedProcess(RuntimeError):
    """A test starts a program and is not marked so."""


class ProcessGuard:
    """Knows which test runs, and refuses it what its marks do not say."""

    def __init__(self) -> None:
        self.test: pytest.Item | None = None

    def check_command(self, command: Any) -> None:
        if self.test is None or _program(command).endswith(ALLOWED_PROGRAM):
            return
        if not any(self.test.get_closest_marker(name) for name in PROGRAMS):
            raise UnmarkedProcess(
                f"{self.test.nodeid} starts {_program(command)}: mark it `processes`."
            )


def _program(command: Any) -> str:
    return str(command if isinstance(command, str | bytes | PathLike) else command[0])


_guard = ProcessGuard()
_start = subprocess.Popen.__init__


@wraps(_start)
def _guarded_start(self: Any, args: Any, *more: Any, **named: Any) -> None:
    _guard.check_command(args)
    _start(self, args, *more, **named)


subprocess.Popen.__init__ = _guarded_start  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in _marks_for(item):
            item.add_marker(name)
    items.sort(key=_sort_key)


def _marks_for(item: pytest.Item) -> Iterator[str]:
    for fixture in getattr(item, "fixturenames", ()):
        if fixture in BY_FIXTURE:
            yield BY_FIXTURE[fixture]
    call = getattr(item, "callspec", None)
    values = call.params.values() if call else ()
    for value in values:
        if isinstance(value, str) and value in BY_VALUE:
            yield BY_VALUE[value]


def _sort_key(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    ranks = (rank for rank, name in enumerate(FIRST) if name in marks)
    return next(ranks, len(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _guard.test = item


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    # After the last test the fixtures of the session end, and may start programs.
    _guard.test = None
