"""Each consent can be taken back alone, and what it covered goes with it."""

import pytest
from sqlalchemy import select

from sync.errors import ConsentMissing
from sync.models import (
    Answer,
    CheckinDraw,
    Consent,
    Export,
    FigureDecision,
    Mail,
    Model,
    Run,
    Runner,
)
from sync.portability import exports
from sync.runners import preferences
from sync.runners.withdraw_consent import withdraw_mail_consent
from sync.runtime import Runtime
from sync.surveys.sending import checkins
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.support.run_history import add_answered_runs
from tests.web.conftest import PageClient


def list_standing_consents(runtime: Runtime) -> set[str]:
    with runtime.db.read_only() as session:
        return set(
            session.scalars(select(Consent.kind).where(Consent.withdrawn_at.is_(None)))
        )


def test_taking_back_the_mood_deletes_answers_and_asks_no_more(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, run_id = build_fresh_run(harness)
    browser.sign_in(runner_id)
    add_answered_runs(runtime, runner_id, moods=[1, 2, 0, -1] * 10, km=[5])
    browser.open("/dashboard")

    asked = browser.open("/settings/consents/mood").text
    browser.post("/settings/consents/mood")
    refused = browser.post(f"/runs/{run_id}", mood=4)

    assert "40 answers" in asked
    assert "mood" not in list_standing_consents(runtime)
    assert refused.status_code == 403
    assert "tick its box again" in refused.text
    with runtime.db.read_only() as session:
        assert session.scalars(select(Answer)).all() == []
        assert session.scalars(select(FigureDecision)).all() == []
        assert session.scalars(select(Mail).where(Mail.due_at.is_not(None))).all() == []
        assert session.scalars(select(Run)).all() != []
        assert session.get_one(Runner, runner_id).preferences.ask == "never"


def test_nothing_made_from_the_moods_outlives_that_consent(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, _ = build_fresh_run(harness)
    browser.sign_in(runner_id)
    checkins.process_due(runtime)
    exports.request_export(runtime, runner_id)
    exports.process_due(runtime)
    made = [count_rows(runtime, table) for table in (CheckinDraw, Export)]

    browser.post("/settings/consents/mood")

    left = [count_rows(runtime, table) for table in (CheckinDraw, Export)]
    assert (made, left) == ([1, 1], [0, 0])


def count_rows(runtime: Runtime, table: type[Model]) -> int:
    with runtime.db.read_only() as session:
        return len(session.scalars(select(table)).all())


def test_without_that_consent_questions_cannot_be_switched_on_again(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/settings/consents/mood")

    preferences.save_preferences(runtime, runner_id, {"units": "mi"})
    with pytest.raises(ConsentMissing):
        preferences.save_preferences(runtime, runner_id, {"ask": "every-run"})

    with runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).preferences.ask == "never"


def test_taking_back_the_mails_deletes_the_address_and_keeps_the_answers(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, run_id = build_fresh_run(harness)
    browser.sign_in(runner_id)
    browser.post(f"/runs/{run_id}", mood=4)

    asked = browser.open("/settings/consents/mail").text
    browser.post("/settings/consents/mail")
    settings = browser.open("/settings").text

    assert "delete your address?" in asked
    assert "mail" not in list_standing_consents(runtime)
    assert "None confirmed yet" in settings
    with runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
        assert (runner.email, runner.email_hash) == (None, None)
        assert len(session.scalars(select(Answer)).all()) == 1


def test_no_link_to_the_address_works_once_it_is_taken_back(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    link = f"/login/{read_pending_token(runtime, 'sign_in_link')}"

    withdraw_mail_consent(runtime, runner_id)

    assert browser.post(link).status_code == 410


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("kind", ["strava", "adult", "x"])
def test_other_consents_have_no_page_here(browser: PageClient, kind: str) -> None:
    assert browser.open(f"/settings/consents/{kind}").status_code == 404
    assert browser.post(f"/settings/consents/{kind}").status_code == 404
