"""Every number on the dashboard that counts runs leads to a list of just those."""

import re
from collections.abc import Callable, Mapping
from html import unescape

import pytest

from sync.runners import preferences
from sync.standins.fixtures.fixtures import prepare
from tests.support.demo_runner import robin_in
from tests.support.harness import Stage
from tests.support.page_fixtures import answered
from tests.web.conftest import Browser

pytestmark = pytest.mark.slow

LINK = re.compile(r'<a [^>]*?href="(/dashboard\?[^"]*)#all-runs"([^>]*)>([^<]*)</a>')
SPOKEN = re.compile(r'aria-label="([^"]*)"')
NUMBER = re.compile(r"(?<![\d.])\d[\d,]*(?![\d,.]*(?:\d| km| mi))")
LISTED = re.compile(r"<caption>([\d,]+) runs? of [\d,]+")


def _prepared(stage: Stage) -> int:
    return prepare(stage.runtime, "answers-500").runner_id or 0


def _few(stage: Stage) -> int:
    return answered(stage, 22).runner_id or 0


def _in_miles(stage: Stage) -> int:
    runner_id = answered(stage, 60).runner_id or 0
    preferences.save(stage.runtime, runner_id, {"units": "mi"})
    return runner_id


RUNNERS: Mapping[str, Callable[[Stage], int]] = {
    "demo": robin_in,
    "500 answers": _prepared,
    "22 answers": _few,
    "in miles": _in_miles,
}


def numbers(page: str) -> dict[str, int]:
    """Find every link to a list of runs that says how many they are."""
    found = {}
    for address, more, text in LINK.findall(page):
        spoken = SPOKEN.search(more)
        number = NUMBER.search(unescape(spoken[1] if spoken else text))
        if number:
            found[unescape(address)] = int(number[0].replace(",", ""))
    return found


@pytest.mark.parametrize("who", RUNNERS)
def test_every_number_leads_to_exactly_its_runs(
    browser: Browser, stage: Stage, who: str
) -> None:
    browser.sign_in(RUNNERS[who](stage))
    found = numbers(browser.open("/dashboard").text)

    listed = {}
    for address in found:
        caption = LISTED.search(browser.open(address).text)
        listed[address] = int(caption[1].replace(",", "")) if caption else 0

    assert len([address for address in found if "group=" in address]) >= 8
    assert listed == found
