"""What a test needs besides Python: marks from its fixtures, and who forgot one.

`make quick` leaves out what is marked here. A mark comes from the fixtures that a
test asks for, so no list of files can grow old; whatever starts a program of its own
says `processes`, and a test that starts one without a word fails.
"""

import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest

# A fixture, and what a test needs that asks for it.
BY_FIXTURE = {
    "chrome": "browser",
    "postgres_url": "postgresql",
    "workshop": "processes",
}
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

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "subprocess.Popen" or self.test is None:
            return
        if str(arguments[0]).endswith(AT_HAND):
            return
        if not any(self.test.get_closest_marker(name) for name in PROGRAMS):
            raise Forgotten(
                f"{self.test.nodeid} starts {arguments[0]}: mark it `processes`."
            )


_watch = Watch()
sys.addaudithook(_watch)


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
    if any(isinstance(value, str) and value == "postgresql" for value in values):
        yield "postgresql"


def _turn(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    turns = (turn for turn, name in enumerate(FIRST) if name in marks)
    return next(turns, len(FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    _watch.test = item
    try:
        return (yield)
    finally:
        _watch.test = None
