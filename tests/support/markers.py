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
    "workshop": "processes",
}
BY_VALUE = {"postgresql": "postgresql", "runs-10000": "slow"}
# It comes with the virtual environment and is up in a moment.
AT_HAND = "valkey-server"
PROGRAMS = ("browser", "postgresql", "processes")
# A long test that begins last keeps one core busy and the others idle.
FIRST = ("processes", "browser", "slow")


class Forgotten(RuntimeError):
    """A test starts a program and is not marked so."""


class Watch:
    """Knows which test runs, and refuses it what its marks do not say."""

    def __init__(self) -> None:
        self.test: pytest.Item | None = None

    def look(self, command: Any) -> None:
        if self.test is None or _program(command).endswith(AT_HAND):
            return
        if not any(self.test.get_closest_marker(name) for name in PROGRAMS):
            raise Forgotten(
                f"{self.test.nodeid} starts {_program(command)}: mark it `processes`."
            )


def _program(command: Any) -> str:
    return str(command if isinstance(command, str | bytes | PathLike) else command[0])


_watch = Watch()
_start = subprocess.Popen.__init__


@wraps(_start)
def _watched_start(self: Any, args: Any, *more: Any, **named: Any) -> None:
    _watch.look(args)
    _start(self, args, *more, **named)


subprocess.Popen.__init__ = _watched_start  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in _needs(item):
            item.add_marker(name)
    items.sort(key=_turn)


def _needs(item: pytest.Item) -> Iterator[str]:
    for fixture in getattr(item, "fixturenames", ()):
        if fixture in BY_FIXTURE:
            yield BY_FIXTURE[fixture]
    call = getattr(item, "callspec", None)
    values = call.params.values() if call else ()
    for value in values:
        if isinstance(value, str) and value in BY_VALUE:
            yield BY_VALUE[value]


def _turn(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    turns = (turn for turn, name in enumerate(FIRST) if name in marks)
    return next(turns, len(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _watch.test = item


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    # After the last test the fixtures of the session end, and may start programs.
    _watch.test = None
