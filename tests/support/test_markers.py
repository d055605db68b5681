"""Each test says what it needs, or is told to."""

import subprocess
import sys

import pytest
from playwright.sync_api import Browser

from tests.support.markers import BY_FIXTURE, BY_VALUE, PROGRAMS, UnmarkedProcess
from tests.support.paths import ROOT


def has_mark(request: pytest.FixtureRequest, name: str) -> bool:
    return request.node.get_closest_marker(name) is not None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_runs_on_postgresql_is_marked(
    request: pytest.FixtureRequest, kind: str
) -> None:
    assert has_mark(request, "postgresql") == (kind == "postgresql")


def test_what_opens_a_browser_is_marked(
    request: pytest.FixtureRequest, chrome: Browser
) -> None:
    assert chrome.is_connected()
    assert has_mark(request, "browser")


@pytest.mark.parametrize("command", [[sys.executable, "-c", ""], "true"])
def test_a_program_that_no_mark_tells_of_is_refused(command: list[str] | str) -> None:
    with pytest.raises(UnmarkedProcess, match="mark it `processes`"):
        subprocess.run(command, check=True)  # noqa: S603 - it is never started


@pytest.mark.processes
def test_a_program_that_a_mark_tells_of_is_started() -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_quick_leaves_out_every_kind() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    [quick] = [line for line in lines if line.startswith("QUICK :=")]

    left_out = set(quick.partition(":=")[2].split(" and "))
    kinds = {*PROGRAMS, *BY_FIXTURE.values(), *BY_VALUE.values(), "slow"}
    assert {name.strip() for name in left_out} == {f"not {name}" for name in kinds}
