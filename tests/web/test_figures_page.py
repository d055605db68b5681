"""What the figures say reaches the dashboard in their own words."""

import re
from html import unescape

import pytest

from sync.prepared.scenes import prepare
from sync.runtime import Runtime
from tests.web.conftest import Browser
from tests.web.history import give_history
from web.dashboard.findings import split


def test_with_enough_answers_the_figures_speak(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    give_history(runtime, runner_id, moods=[0, 1, 1, 2, 0, -1] * 8, km=[5, 8, 12, 7])

    page = browser.open("/dashboard").text

    assert "No clear link so far" in page
    assert "How sure is this?" in page
    assert 'class="trend"' in page
    assert "The line is your typical mood" in page
    assert "Mood after runs and at check-ins" in page


def test_three_awful_answers_in_a_row_name_people_to_talk_to(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    give_history(runtime, runner_id, moods=[0, -2, -2, -2], km=[5])

    page = browser.open("/dashboard").text

    assert "Your last answers were mostly low." in page
    assert "telefonseelsorge.de" in page


@pytest.mark.parametrize(
    ("sentence", "title", "text"),
    [
        ("Not enough yet: 7 of 15 runs.", "Not enough yet: 7 of 15 runs.", ""),
        (
            "You may feel better in weeks of 5–9 km. It may still be chance.",
            "You may feel better in weeks of 5–9 km.",
            "It may still be chance.",
        ),
        (
            "You tended to feel best: Good or Great after 8 %. It does not tell why.",
            "You tended to feel best.",
            "Good or Great after 8\N{NO-BREAK SPACE}%. It does not tell why.",
        ),
    ],
)
def test_a_sentence_becomes_a_title_and_the_rest(
    sentence: str, title: str, text: str
) -> None:
    assert split(sentence) == (title, text)


def test_the_range_that_is_spoken_of_leads_to_its_runs(
    browser: Browser, runtime: Runtime
) -> None:
    scene = prepare(runtime, "answers-500")
    assert scene.runner_id
    browser.sign_in(scene.runner_id)

    page = browser.open("/dashboard").text
    links = re.findall(r'href="(/dashboard[^"]+)">[\w ]+ in this range</a>', page)

    told, good = (browser.open(unescape(address)).text for address in links)
    assert "runs of 500" in told
    assert '<option value="told" selected>' in told
    assert '<option value="good" selected>' in good
    assert 0 < listed_in(good) < listed_in(told) < 500


def listed_in(page: str) -> int:
    found = re.search(r"<caption>(\d+) runs? of", page)
    assert found
    return int(found[1])
