"""The pages around a question: how to be asked, and what became of one."""

import pytest
from sqlalchemy import select

from sync.models import Answer, Survey
from sync.runners import preferences
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from sync.vocabulary import CancellationReason
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient

FORM = {
    "ask": "weekly",
    "delay_min": "60",
    "quiet_from": "22:00",
    "quiet_until": "08:00",
    "pause": "",
    "focus": "clarity",
    "checkin_focus": "confidence",
    "stress": "1",
}


@pytest.fixture
def unsubscribe_path(runner_id: int, runtime: Runtime, browser: PageClient) -> str:
    """Return the address in a mail's footer, opened in a signed-out browser."""
    browser.client.delete_cookie("moodmiles", domain="127.0.0.1")
    return f"/u/{unsubscribe.create_token(runtime, runner_id)}"


@pytest.fixture
def survey_path(harness: Harness, runtime: Runtime) -> str:
    """Return the link of a question about one run, and let a second run follow."""
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    run = harness.finish_run(athlete, ended_minutes_ago=0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return f"/s/{read_pending_token(runtime)}"


def test_a_mail_leads_to_fewer_questions_without_a_sign_in(
    browser: PageClient, unsubscribe_path: str, runner_id: int, runtime: Runtime
) -> None:
    page = browser.open(f"{unsubscribe_path}/settings?ask=weekly")
    untouched = preferences.load_preferences(runtime, runner_id).ask
    answer = browser.client.post(f"{unsubscribe_path}/settings", data=FORM)

    chosen = preferences.load_preferences(runtime, runner_id)
    assert '<option value="weekly" selected>' in page.text
    assert untouched == "every-run"
    assert answer.status_code == 303
    assert (chosen.ask, chosen.checkins, chosen.stress) == ("weekly", False, True)
    assert "Saved." in browser.open(answer.location).text


def test_that_page_shows_what_can_be_less_and_nothing_else(
    browser: PageClient, unsubscribe_path: str
) -> None:
    page = browser.open(f"{unsubscribe_path}/settings").text

    assert "runner1@example.org" not in page
    assert "8.2" not in page
    for name in ("units", "focus", "quiet_from", "delay_min", "digest"):
        assert f'name="{name}"' not in page


def test_a_question_chosen_for_eight_weeks_is_shown_and_not_offered(
    browser: PageClient, runner_id: int, harness: Harness
) -> None:
    browser.post("/settings", **FORM)

    page = browser.open("/settings").text
    refused = browser.post("/settings", **FORM | {"focus": "effort"})

    assert 'name="focus"' not in page
    assert refused.status_code == 400
    assert "less than eight weeks ago" in refused.text
    harness.advance_clock(weeks=8)
    browser.sign_in(runner_id)
    assert 'name="focus"' in browser.open("/settings").text


@pytest.mark.parametrize("odd", [{"ask": "waiting"}, {"ask": "x"}, {"pause": "0"}])
def test_what_is_not_offered_there_is_refused(
    browser: PageClient, unsubscribe_path: str, odd: dict[str, str]
) -> None:
    answer = browser.client.post(f"{unsubscribe_path}/settings", data=FORM | odd)

    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["", "/settings"])
def test_a_forged_address_leads_nowhere(browser: PageClient, path: str) -> None:
    for method in ("GET", "POST"):
        found = browser.client.open(f"/u/1-{'0' * 32}{path}", method=method)
        assert found.status_code == 404


def test_one_click_stops_the_check_ins_only(
    browser: PageClient, unsubscribe_path: str, runner_id: int, runtime: Runtime
) -> None:
    page = browser.open(f"{unsubscribe_path}?only=checkins").text
    untouched = preferences.load_preferences(runtime, runner_id).checkins
    done = browser.client.post(
        f"{unsubscribe_path}?only=checkins", data={"List-Unsubscribe": "One-Click"}
    )

    chosen = preferences.load_preferences(runtime, runner_id)
    assert "Stop the check-ins?" in page
    assert untouched
    assert (done.status_code, done.data) == (200, b"")
    assert (chosen.checkins, chosen.ask) == (False, "every-run")


def test_who_was_stopped_for_silence_is_told_and_chooses_signed_in(
    browser: PageClient, unsubscribe_path: str, runner_id: int, runtime: Runtime
) -> None:
    preferences.save_preferences(runtime, runner_id, {"ask": "waiting"})

    page = browser.open(f"{unsubscribe_path}/settings").text
    refused = browser.client.post(
        f"{unsubscribe_path}/settings", data=FORM | {"ask": "every-run"}
    )
    unchanged = preferences.load_preferences(runtime, runner_id).ask
    led = browser.open(f"{unsubscribe_path}/settings?ask=every-run")
    browser.sign_in(runner_id)
    offered = browser.open(led.location).text
    browser.post("/settings", **FORM | {"ask": "every-run"})

    assert "Several questions in a row stayed unanswered" in page
    assert (refused.status_code, unchanged) == (400, "waiting")
    assert '<option value="every-run" selected>' in offered
    assert preferences.load_preferences(runtime, runner_id).ask == "every-run"


def test_the_zone_and_the_rest_are_set_signed_in(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    page = browser.open("/settings").text
    form = FORM | {"units": "mi", "zone": "Asia/Tokyo", "wellbeing": "1"}
    answer = browser.post("/settings", **form)
    refused = browser.post("/settings", **form | {"zone": "Mars/Olympus"})

    assert f"/before/{pre_run.create_token(runtime, runner_id)}" in page
    assert answer.status_code == 303
    assert refused.status_code == 400
    assert "<option selected>Asia/Tokyo</option>" in browser.open("/settings").text
    assert preferences.load_preferences(runtime, runner_id).wellbeing


@pytest.mark.usefixtures("runner_id")
def test_zones_of_old_names_are_not_offered_but_stay_chosen(
    browser: PageClient,
) -> None:
    offered = browser.open("/settings").text
    browser.post("/settings", **FORM | {"units": "km", "zone": "US/Pacific"})

    assert "<option>Asia/Tokyo</option>" in offered
    assert not any(f">{zone}<" in offered for zone in ("US/Pacific", "EST", "Etc/GMT"))
    assert "<option selected>US/Pacific</option>" in browser.open("/settings").text


def test_the_survey_leads_to_less_and_to_none(
    browser: PageClient, survey_path: str
) -> None:
    page = browser.open(survey_path).text

    assert "Ask me less" in page
    assert "Stop asking" in page
    assert "Skip this run" in page


def test_a_question_that_moved_says_where_it_went(
    browser: PageClient, survey_path: str, runtime: Runtime
) -> None:
    with runtime.db.transaction() as session:
        session.scalars(
            select(Survey)
        ).one().cancelled_for = CancellationReason.REPLACED

    page = browser.open(survey_path)
    posted = browser.client.post(survey_path, data={"mood": "4"}, follow_redirects=True)

    assert "A newer question has taken over." in page.text
    assert "A newer question has taken over." in posted.text
    assert answers(runtime) == []


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        (CancellationReason.RUN_GONE, "That run is no longer there."),
        (CancellationReason.DISCONNECTED, "Strava is disconnected."),
        (CancellationReason.STOPPED, "This question was called off."),
    ],
)
def test_every_way_to_be_called_off_has_its_page(
    browser: PageClient,
    survey_path: str,
    runtime: Runtime,
    reason: CancellationReason,
    title: str,
) -> None:
    with runtime.db.transaction() as session:
        session.scalars(select(Survey)).one().cancelled_for = reason

    assert title in browser.open(survey_path).text


def test_an_open_form_may_be_finished_after_the_time_ran_out(
    browser: PageClient, survey_path: str, harness: Harness, runtime: Runtime
) -> None:
    harness.advance_clock(hours=24, minutes=5)

    answer = browser.client.post(survey_path, data={"mood": "4"})

    assert answer.status_code == 303
    assert len(answers(runtime)) == 1


def answers(runtime: Runtime) -> list[Answer]:
    with runtime.db.read_only() as session:
        return list(session.scalars(select(Answer)))
