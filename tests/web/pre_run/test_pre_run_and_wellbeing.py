"""The pages before a run, of a check-in, and of the longer look."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer, Survey
from sync.runners import preferences
from sync.runtime import Runtime
from sync.surveys.answering import pre_run
from sync.vocabulary import SurveyKind
from tests.support.harness import Harness
from tests.web.conftest import PageClient
from tests.web.settings.test_question_settings import answers, survey_path

__all__ = ["survey_path"]

FIVE = {f"who5_{number}": "3" for number in range(1, 6)}


def test_a_check_in_has_its_own_page(
    browser: PageClient, survey_path: str, harness: Harness, runtime: Runtime
) -> None:
    with runtime.db.transaction() as session:
        survey = session.scalars(select(Survey)).one()
        survey.kind, survey.run_id, survey.focus = SurveyKind.CHECKIN, None, "sleep"
    page = browser.open(survey_path).text
    browser.client.post(survey_path, data={"mood": "4"})
    saved = browser.open(survey_path).text
    harness.advance_clock(days=2)

    closed = browser.open(survey_path).text

    assert "A check-in on a random day" in page
    assert "Stop check-ins" in page
    assert "How did you sleep last night?" in saved
    assert "before you set off" not in saved
    assert "This check-in has closed." in closed


def test_before_a_run_one_tap_is_enough(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.client.delete_cookie("moodmiles", domain="127.0.0.1")
    address = f"/before/{pre_run.create_token(runtime, runner_id)}"
    page = browser.open(address).text
    untouched = answers(runtime)

    tapped = browser.client.post(address, data={"mood": "2"}, follow_redirects=True)

    assert page.count('name="mood"') == 5
    assert untouched == []
    assert "Saved: Low." in tapped.text
    assert [said.kind for said in answers(runtime)] == ["before"]


@pytest.mark.parametrize("fields", [{}, {"mood": "6"}, {"mood": "x"}])
def test_before_a_run_nonsense_says_nothing(
    browser: PageClient, runner_id: int, runtime: Runtime, fields: dict[str, str]
) -> None:
    address = f"/before/{pre_run.create_token(runtime, runner_id)}"

    assert browser.client.post(address, data=fields).status_code == 400
    assert browser.client.post("/before/1-00", data=fields).status_code == 404
    assert answers(runtime) == []


def test_the_longer_look_is_off_then_asked_then_closed_for_four_weeks(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    off = browser.open("/wellbeing").text
    preferences.save_preferences(runtime, runner_id, {"wellbeing": True})
    asked = browser.open("/wellbeing").text
    refused = browser.post("/wellbeing", who5_1="3")
    browser.post("/wellbeing", **FIVE)

    closed = browser.open("/wellbeing").text

    assert "switched off" in off
    assert "cheerful and in good spirits" in asked
    assert "World Health Organization" in asked
    assert refused.status_code == 400
    assert "<td>60</td>" in closed
    assert "cheerful" not in closed
    harness.advance_clock(weeks=4)
    with runtime.db.read_only() as session:
        said_at = session.scalars(select(Answer.answered_at)).one()
    assert harness.clock() - said_at == timedelta(weeks=4)
    assert "cheerful" in browser.open("/wellbeing").text


def test_low_answers_lead_to_people_and_to_no_label(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    preferences.save_preferences(runtime, runner_id, {"wellbeing": True})

    browser.post("/wellbeing", **dict.fromkeys(FIVE, "2"))

    page = browser.open("/wellbeing").text
    assert "Would you like to talk to someone?" in page
    assert "/help" in page
