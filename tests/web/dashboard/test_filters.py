"""What a reader can ask of the dashboard: a period, an order, only some runs."""

import csv
import io
import re
from html import unescape

import pytest

from tests.support.harness import Harness
from tests.support.page_fixtures import STATES, build_answered
from tests.web.conftest import PageClient
from web.dashboard.filters import RunFilter, parse_filter

pytestmark = pytest.mark.slow


@pytest.fixture
def answered_browser(browser: PageClient, harness: Harness) -> PageClient:
    """Sign in a runner with 60 answered runs, and one without an answer."""
    scene = build_answered(harness, 60)
    assert scene.runner_id
    browser.sign_in(scene.runner_id)
    return browser


def list_rows(page: str) -> list[str]:
    """Return the moods in the list of all runs, from the first row on."""
    table = page[page.index('id="all-runs"') :]
    rows = re.findall(r"(?s)<tr>\s*<th scope=\"row\">.*?</tr>", table)
    return [
        match[1] if (match := re.search(r"</i>(\w+)</span>", row)) else "–"
        for row in rows
    ]


def test_runs_are_sorted_by_mood(answered_browser: PageClient) -> None:
    best = list_rows(answered_browser.open("/dashboard?sort=best").text)
    lowest = list_rows(answered_browser.open("/dashboard?sort=lowest").text)

    assert best[0] == "Great"
    assert lowest[0] == "Awful"
    assert len(best) == 50


def test_every_run_is_on_one_of_the_pages(answered_browser: PageClient) -> None:
    pages = [
        answered_browser.open(f"/dashboard?page={number}").text for number in (1, 2)
    ]

    runs = [
        set(re.findall(r'href="(/runs/\d+)"', page[page.index('id="all-runs"') :]))
        for page in pages
    ]
    assert [len(list_rows(page)) for page in pages] == [50, 11]
    assert not runs[0] & runs[1]


def test_runs_are_sorted_by_length_and_age(answered_browser: PageClient) -> None:
    pages = {
        sort: answered_browser.open(f"/dashboard?sort={sort}").text
        for sort in ("oldest", "longest", "shortest", "newest")
    }

    assert len({page[page.index('id="all-runs"') :] for page in pages.values()}) == 4


@pytest.mark.parametrize(
    ("mood", "only"), [("5", {"Great"}), ("1", {"Awful"}), ("none", {"–"})]
)
def test_only_runs_of_one_mood_are_listed(
    answered_browser: PageClient, mood: str, only: set[str]
) -> None:
    page = answered_browser.open(f"/dashboard?mood={mood}").text

    assert set(list_rows(page)) == only
    assert "of 61" in page
    assert "Show all" in page


def test_every_number_leads_to_the_runs_behind_it(answered_browser: PageClient) -> None:
    page = answered_browser.open("/dashboard").text
    links = re.findall(
        r'href="(/dashboard\?[^"]+)#all-runs"\s+aria-label="(\d+) ', page
    )

    assert len(links) > 10
    for address, count in links[:12]:
        found = answered_browser.open(address.replace("&amp;", "&")).text
        assert f"{count} run{'' if count == '1' else 's'} of 61" in found


def test_every_number_of_a_period_leads_to_the_runs_of_that_period(
    answered_browser: PageClient,
) -> None:
    page = answered_browser.open("/dashboard?period=4w").text
    felt = page[page.index('id="felt"') : page.index('id="asked"')]
    links = re.findall(
        r'href="(/dashboard\?[^"]+)#all-runs"\s+aria-label="(\d+) ', felt
    )

    assert sum(int(count) for _, count in links) < 30
    for address, count in links:
        found = answered_browser.open(unescape(address)).text
        assert f"{count} run{'' if count == '1' else 's'} of 61" in found


def test_a_period_leaves_out_what_is_older(answered_browser: PageClient) -> None:
    everything = answered_browser.open("/dashboard").text
    lately = answered_browser.open("/dashboard?period=4w").text

    assert everything.count('class="trend"') > lately.count('class="trend"')
    assert "drawn only over all of them" in lately
    assert "28 runs" in lately or "27 runs" in lately


@pytest.mark.parametrize(
    "odd",
    ["since=yesterday", "least=-4", "least=nan", "below=x", "mood=9", "sort=worst",
     "period=5y", "page=-1", "page=²", "page=99999999999999"],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(
    answered_browser: PageClient, odd: str
) -> None:
    answer = answered_browser.open(f"/dashboard?{odd}")

    assert answer.status_code == 200
    assert len(list_rows(answer.text)) == 50


def test_wishes_survive_the_way_through_an_address() -> None:
    wanted = parse_filter({"sort": "best", "mood": "4", "least": "20", "page": "2"})

    assert wanted.address(page=3) == ("/dashboard?sort=best&mood=4&least=20.0&page=3")
    assert RunFilter().address() == "/dashboard"


def test_weeks_and_questions_are_taken_as_files(answered_browser: PageClient) -> None:
    weeks, questions = (
        list(
            csv.DictReader(
                io.StringIO(answered_browser.open(f"/dashboard/{name}.csv").text)
            )
        )
        for name in ("weeks", "panels")
    )

    assert sum(int(week["answers"]) for week in weeks) == 60
    assert {"Mood after runs and at check-ins", "With others or alone"} <= {
        row["question"] for row in questions
    }
    company = next(
        row for row in questions if row["question"] == "With others or alone"
    )
    assert float(company["low"]) < float(company["value"]) < float(company["high"])


def test_people_to_talk_to_are_put_away_for_two_weeks_in_this_browser_only(
    browser: PageClient, harness: Harness
) -> None:
    scene = STATES["low-answers"](harness)
    assert scene.runner_id
    browser.sign_in(scene.runner_id)

    before = browser.open("/dashboard").text
    closed = browser.post("/dashboard/support")
    after = browser.open("/dashboard").text

    assert "Your last answers were mostly low." in before
    assert f"Max-Age={14 * 24 * 3600}" in closed.headers["Set-Cookie"]
    assert "Your last answers were mostly low." not in after
    assert "Need to talk to someone?" in after


def test_the_charts_file_holds_what_the_chart_draws(
    answered_browser: PageClient,
) -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(answered_browser.open("/dashboard/answers.csv").text)
        )
    )

    assert len(rows) == 60
    assert all(float(row["distance_7d_m"]) >= float(row["distance_m"]) for row in rows)
    assert {row["mood_label"] for row in rows} <= {
        "Awful",
        "Low",
        "OK",
        "Good",
        "Great",
    }


def test_each_number_of_a_month_leads_to_just_its_runs(
    answered_browser: PageClient,
) -> None:
    link = (
        r'href="([^"#]+)#all-runs"\s+aria-label="(\d+) (runs?|answers?) in \w+ \d{4}"'
    )
    found = re.findall(link, answered_browser.open("/dashboard").text)

    for address, count, _ in found:
        page = answered_browser.open(unescape(address)).text
        assert re.search(rf"<caption>\s*{count} runs? of 61", page), address

    assert sum(int(count) for _, count, what in found if what[:3] == "run") == 61
    assert sum(int(count) for _, count, what in found if what[:3] == "ans") == 60


def test_the_last_seven_days_lead_to_their_runs(answered_browser: PageClient) -> None:
    link = r'href="([^"#]+)#all-runs"\s+aria-label="(\d+) runs? in the last 7 days"'
    found = re.search(link, answered_browser.open("/dashboard").text)
    assert found

    page = answered_browser.open(unescape(found[1])).text

    assert re.search(rf"<caption>\s*{found[2]} runs? of 61", page)


def test_what_was_good_or_great_is_listed_together(
    answered_browser: PageClient,
) -> None:
    page = answered_browser.open("/dashboard?mood=good").text

    assert set(list_rows(page)) == {"Good", "Great"}
    assert '<option value="good" selected>' in page
