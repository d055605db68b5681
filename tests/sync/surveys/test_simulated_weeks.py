"""Weeks of thirteen runners with habits of their own, none of whom gets too much."""

from collections.abc import Iterator

import pytest

from tests.lab.bench.survey_world import open_world
from tests.lab.bench.survey_year import (
    SurveyReport,
    build_report,
    hours_after,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def survey_report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SurveyReport]:
    folder = tmp_path_factory.mktemp("weeks")
    with open_world(folder, runners=13, days=14, seed=5) as survey_world:
        survey_world.simulate_days(14)
        yield build_report(survey_world)


def test_no_promise_to_a_runner_is_broken(survey_report: SurveyReport) -> None:
    assert survey_report.broken == []


def test_every_run_has_exactly_one_decision(survey_report: SurveyReport) -> None:
    assert survey_report.reasons.total() == survey_report.runs > 50


def test_mails_go_out_and_are_answered(survey_report: SurveyReport) -> None:
    asked = sum(mail.spec.asks_first for mail in survey_report.sent)

    assert asked > 30
    assert 0 < survey_report.answers < asked


def test_no_mail_is_later_than_twelve_hours_after_its_run(
    survey_report: SurveyReport,
) -> None:
    assert max(hours_after(survey_report.sent)) <= 12


def test_most_are_asked_half_an_hour_after_the_run(survey_report: SurveyReport) -> None:
    hours = sorted(hours_after(survey_report.sent))

    assert hours[len(hours) // 2] == pytest.approx(0.5, abs=0.2)
