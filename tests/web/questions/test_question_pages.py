"""The page of one question: its number, its groups, its runs and its table."""

import csv
import re
from html import unescape

import pytest

from tests.support.harness import Harness
from tests.support.page_fixtures import build_answered
from tests.support.question_answers import add_every_answer
from tests.web.conftest import PageClient

RUN_LINK = re.compile(r'href="(/dashboard\?[^"]*)#all-runs"[^>]*>([^<]*)</a>')
LISTED = re.compile(r"<caption>\s*([\d,]+) runs? of [\d,]+")
NUMBER = re.compile(r"\d+")


@pytest.fixture
def runner_id(harness: Harness, browser: PageClient) -> int:
    runner_id = build_answered(harness, 70).runner_id or 0
    add_every_answer(harness.runtime, runner_id)
    browser.sign_in(runner_id)
    return runner_id


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize(
    "name",
    [
        "runners_high",
        "remembered",
        "pre_run",
        "presence_mood",
        "effort_mood",
        "progress_milestones",
        "control",
        "clear_head",
        "sleep",
        "company",
    ],
)
def test_its_runs_are_just_as_many_as_it_counts(browser: PageClient, name: str) -> None:
    page = browser.open(f"/questions/{name}").text
    links = RUN_LINK.findall(page)

    assert links
    for address, text in links:
        number = NUMBER.search(text)
        listed = LISTED.search(browser.open(unescape(address)).text)
        assert number
        assert listed
        assert listed[1] == number[0], (address, text)


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("effort_mood", "Group by group"),
        ("runners_high", "How often"),
        ("stress_load", "Over time"),
        ("control", "Difference"),
        ("presence_mood", "Link"),
    ],
)
def test_a_drawing_has_a_table_and_a_file(
    browser: PageClient, name: str, part: str
) -> None:
    page = browser.open(f"/questions/{name}").text
    numbers = browser.open(f"/questions/{name}/numbers.csv")

    assert f">{part}</h2>" in page
    assert page.count("<figure") == page.count("Show as a table")
    assert page.count("<figure") == page.count(f"/questions/{name}/numbers.csv")
    assert numbers.content_type.startswith("text/csv")
    assert len(list(csv.DictReader(numbers.text.splitlines()))) >= 1


@pytest.mark.usefixtures("runner_id")
def test_the_hours_since_a_run_are_drawn_answer_by_answer(
    browser: PageClient,
) -> None:
    page = browser.open("/questions/hours_since").text

    numbers = browser.open("/questions/hours_since/numbers.csv").text
    (counted,) = [
        row["answers"]
        for row in csv.DictReader(numbers.splitlines())
        if row["part"] == "link"
    ]
    assert re.findall(r"Mood of (\d+) answers along: Hours", page) == [counted]
    assert "Answer by answer</h2>" in page
    assert "Answer by answer</h2>" not in browser.open("/questions/load").text


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("after_runs", "Fixed in advance"),
        ("control", "Exploring"),
        ("pre_run", "A picture, never a sentence"),
    ],
)
def test_it_says_how_much_it_may_say(browser: PageClient, name: str, kind: str) -> None:
    page = browser.open(f"/questions/{name}").text

    assert f'<p class="eyebrow">{kind}</p>' in page


@pytest.mark.usefixtures("runner_id")
def test_a_page_says_which_claim_it_is_about(browser: PageClient) -> None:
    page = unescape(browser.open("/questions/runners_high").text)

    assert "A runner’s high comes after some runs and not after others." in page
    assert "runs ended Great and full of energy." in page


@pytest.mark.usefixtures("runner_id")
def test_the_bookmark_is_set_beside_memory_and_never_beside_a_low_start(
    browser: PageClient,
) -> None:
    page = unescape(browser.open("/questions/pre_run").text)

    assert "from before to after a run" in page
    assert "From memory, the mood before those 70 runs was" in page
    assert "Link</h2>" not in page


def test_without_answers_each_question_says_what_is_missing(
    browser: PageClient, harness: Harness
) -> None:
    browser.sign_in(build_answered(harness, 2).runner_id or 0)

    page = unescape(browser.open("/questions").text)

    assert "Not enough yet: 2 of 15 runs." in page
    assert "svg viewBox" not in page.split("<main")[1]
    assert "You have not been asked this yet." in browser.open("/questions/sleep").text
    assert browser.open("/questions/sleep/numbers.csv").status_code == 404


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("name", ["nothing", "after_runs.first", "host_legs"])
def test_a_question_that_nobody_asks_has_no_page(
    browser: PageClient, name: str
) -> None:
    assert browser.open(f"/questions/{name}").status_code == 404


def test_nobody_sees_them_without_signing_in(browser: PageClient) -> None:
    for path in ("/questions", "/questions/sleep", "/questions/sleep/numbers.csv"):
        assert browser.open(path).status_code in {302, 303}


@pytest.mark.usefixtures("runner_id")
def test_the_dashboard_leads_to_them_and_lists_none_of_the_new(
    browser: PageClient,
) -> None:
    page = browser.open("/dashboard").text

    assert 'href="/questions"' in page
    assert "Sleep after run days and rest days" not in page
    assert (
        "Sleep after run days and rest days"
        in browser.open("/dashboard/panels.csv").text
    )
