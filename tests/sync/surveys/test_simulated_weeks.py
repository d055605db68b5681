"""Weeks of thirteen runners with habits of their own, none of whom gets too much."""

from collections.abc import Iterator

import pytest

from tests.lab.bench.survey_world import world
from tests.lab.bench.survey_year import FIRST_MAILS, Report, hours_after, report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("weeks")
    with world(folder, runners=13, days=14, seed=5) as lived:
        lived.live(14)
        yield report(lived)


def test_no_promise_to_a_runner_is_broken(weeks: Report) -> None:
    assert weeks.broken == []


def test_every_run_has_exactly_one_decision(weeks: Report) -> None:
    assert weeks.reasons.total() == weeks.runs > 50


def test_mails_go_out_and_are_answered(weeks: Report) -> None:
    asked = sum(mail.kind in FIRST_MAILS for mail in weeks.sent)

    assert asked > 30
    assert 0 < weeks.answers < asked


def test_no_mail_is_later_than_twelve_hours_after_its_run(weeks: Report) -> None:
    assert max(hours_after(weeks.sent)) <= 12


def test_most_are_asked_half_an_hour_after_the_run(weeks: Report) -> None:
    hours = sorted(hours_after(weeks.sent))

    assert hours[len(hours) // 2] == pytest.approx(0.5, abs=0.2)
