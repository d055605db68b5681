"""What stands on top: a stage of the runner's, and from 15 answers on a finding."""

from dataclasses import replace

import pytest

from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from sync.vocabulary import DistanceUnit, LinkStage
from tests.web.conftest import PageClient
from web.dashboard.findings import DashboardFindings, load_findings
from web.dashboard.headline import MIN_ANSWERS_FOR_HEADLINE, choose_headline


@pytest.fixture
def findings(browser: PageClient, runtime: Runtime) -> DashboardFindings:
    fixture = build_fixture(runtime, "answers-20")
    assert fixture.runner_id
    found = load_findings(runtime, fixture.runner_id, DistanceUnit.KM)
    return replace(found, title="A finding.", text="What it rests on.")


def test_with_too_few_answers_no_finding_is_the_headline(
    findings: DashboardFindings,
) -> None:
    headline = choose_headline(40, MIN_ANSWERS_FOR_HEADLINE - 1, findings)

    assert headline.title == "Not enough yet: 14 of 15 runs."


def test_with_enough_answers_the_finding_is(findings: DashboardFindings) -> None:
    headline = choose_headline(40, MIN_ANSWERS_FOR_HEADLINE, findings)

    assert (headline.title, headline.text) == ("A finding.", "What it rests on.")


def test_without_findings_it_is_the_stage() -> None:
    headline = choose_headline(40, MIN_ANSWERS_FOR_HEADLINE, None)

    assert headline.title == "Your moods, run by run."


@pytest.mark.parametrize(
    ("link", "eyebrow"),
    [
        (LinkStage.LINKED, "Strava is connected"),
        (LinkStage.IMPORTING, "Strava is connected"),
        (LinkStage.DISCONNECTED, "Strava is disconnected"),
    ],
)
def test_without_runs_it_says_how_the_link_stands(
    link: LinkStage, eyebrow: str
) -> None:
    assert choose_headline(0, 0, None, link).eyebrow == eyebrow
