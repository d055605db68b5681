"""What the figures say reaches the dashboard in their own words."""

import re
from html import unescape

from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from sync.vocabulary import DistanceUnit
from tests.support.run_history import add_answered_runs
from tests.web.conftest import PageClient
from web.dashboard.findings import load_findings


def test_with_enough_answers_the_figures_speak(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    add_answered_runs(
        runtime, runner_id, moods=[0, 1, 1, 2, 0, -1] * 8, km=[5, 8, 12, 7]
    )

    page = browser.open("/dashboard").text

    assert "No clear link so far" in page
    assert "How sure is this?" in page
    assert 'class="trend"' in page
    assert "The line is your typical mood" in page
    assert "Mood after runs and at check-ins" in page


def test_three_awful_answers_in_a_row_name_people_to_talk_to(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    add_answered_runs(runtime, runner_id, moods=[0, -2, -2, -2], km=[5])

    page = browser.open("/dashboard").text

    assert "Your last answers were mostly low." in page
    assert "telefonseelsorge.de" in page


def test_a_headline_is_a_title_and_the_text_that_goes_on_from_it(
    browser: PageClient, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-500")
    assert scene.runner_id

    findings = load_findings(runtime, scene.runner_id, DistanceUnit.KM)

    assert re.fullmatch(
        "In your first 480 answers, you tended to feel best in weeks of .* km\\.",
        findings.title,
    )
    assert re.match(
        "Good or Great after [0-9]+\N{NO-BREAK SPACE}% of those runs", findings.text
    )
    assert findings.text.endswith(" It does not tell us why.")


def test_before_a_first_look_the_headline_is_a_title_alone(
    browser: PageClient, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-3")
    assert scene.runner_id

    findings = load_findings(runtime, scene.runner_id, DistanceUnit.KM)

    assert findings.title.startswith("Not enough yet: ")
    assert findings.text == ""


def test_the_headlines_percentages_are_those_of_the_runs_that_it_leads_to(
    browser: PageClient, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-500")
    assert scene.runner_id
    browser.sign_in(scene.runner_id)

    page = unescape(browser.open("/dashboard").text)
    all_of_it, inside, good_inside, others, good_others = (
        count_listed_runs(browser.open(address).text)
        for address in re.findall(r'href="(\S+group=mileage\.\w+)#all-runs"', page)
    )

    assert f"In your first {all_of_it} answers" in page
    assert (
        f"after {good_inside / inside:.0%}".replace("%", "\N{NO-BREAK SPACE}%") in page
    )
    assert (
        f"against {good_others / others:.0%}".replace("%", "\N{NO-BREAK SPACE}%")
        in page
    )
    assert inside + others == all_of_it < 500


def test_the_list_says_what_its_runs_count_for_and_leads_back_to_all(
    browser: PageClient, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-500")
    assert scene.runner_id
    browser.sign_in(scene.runner_id)

    page = browser.open("/dashboard?group=company.second&sort=longest").text

    assert "Only the runs that count for “With others or alone”: alone." in page
    assert '<a class="tap" href="/dashboard#all-runs">Show all runs</a>' in page
    assert '<input type="hidden" name="group" value="company.second">' in page
    assert "with others</td>" not in page[page.index('id="all-runs"') :]


def test_a_number_that_there_is_not_leaves_all_runs_in_the_list(
    browser: PageClient, runtime: Runtime
) -> None:
    scene = build_fixture(runtime, "answers-20")
    assert scene.runner_id
    browser.sign_in(scene.runner_id)

    page = browser.open("/dashboard?group=company.third").text

    assert re.search(r"<caption>\s*60 runs, newest first", page)
    assert "Only the runs that count" not in page


def count_listed_runs(page: str) -> int:
    match = re.search(r"<caption>\s*(\d+) runs? of", page)
    assert match
    return int(match[1])
