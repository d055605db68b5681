"""Every number on the dashboard that counts runs leads to a list of just those."""

import re
from collections.abc import Callable, Mapping
from html import unescape

import pytest

from sync.runners import preferences
from sync.standins.fixtures.fixtures import build_fixture
from tests.support.demo_runner import add_demo_runner
from tests.support.harness import Harness
from tests.support.page_fixtures import build_answered
from tests.web.conftest import PageClient

pytestmark = pytest.mark.slow

LINK = re.compile(r'<a [^>]*?href="(/dashboard\?[^"]*)#all-runs"([^>]*)>([^<]*)</a>')
SPOKEN = re.compile(r'aria-label="([^"]*)"')
NUMBER = re.compile(r"(?<![\d.])\d[\d,]*(?![\d,.]*(?:\d| km| mi))")
LISTED = re.compile(r"<caption>\s*([\d,]+) runs? of [\d,]+")


def _prepared(harness: Harness) -> int:
    return build_fixture(harness.runtime, "answers-500").runner_id or 0


def _few(harness: Harness) -> int:
    return build_answered(harness, 22).runner_id or 0


def _in_miles(harness: Harness) -> int:
    runner_id = build_answered(harness, 60).runner_id or 0
    preferences.save_preferences(harness.runtime, runner_id, {"units": "mi"})
    return runner_id


RUNNERS: Mapping[str, Callable[[Harness], int]] = {
    "demo": add_demo_runner,
    "500 answers": _prepared,
    "22 answers": _few,
    "in miles": _in_miles,
}


def list_linked_numbers(page: str) -> dict[str, int]:
    """Find every link to a list of runs that says how many they are."""
    counts = {}
    for address, more, text in LINK.findall(page):
        spoken = SPOKEN.search(more)
        number = NUMBER.search(unescape(spoken[1] if spoken else text))
        if number:
            counts[unescape(address)] = int(number[0].replace(",", ""))
    return counts


@pytest.mark.parametrize("who", RUNNERS)
def test_every_number_leads_to_exactly_its_runs(
    browser: PageClient, harness: Harness, who: str
) -> None:
    browser.sign_in(RUNNERS[who](harness))
    found = list_linked_numbers(browser.open("/dashboard").text)

    listed = {}
    for address in found:
        caption = LISTED.search(browser.open(address).text)
        listed[address] = int(caption[1].replace(",", "")) if caption else 0

    assert len([address for address in found if "group=" in address]) >= 8
    assert listed == found
