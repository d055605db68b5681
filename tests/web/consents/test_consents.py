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
from sync.runners.withdraw_consent import withdraw_mail
from sync.runtime import Runtime
from sync.surveys.sending import checkins
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.support.page_fixtures import fresh_run
from tests.support.run_history import give_history
from tests.web.conftest import Browser


def standing(runtime: Runtime) -> set[str]:
    with runtime.db.reading() as session:
        return set(
            session.scalars(select(Consent.kind).where(Consent.withdrawn_at.is_(None)))
        )


def test_taking_back_the_mood_deletes_answers_and_asks_no_more(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, run_id = fresh_run(stage)
    browser.sign_in(runner_id)
    give_history(runtime, runner_id, moods=[1, 2, 0, -1] * 10, km=[5])
    browser.open("/dashboard")

    asked = browser.open("/settings/consents/mood").text
    browser.post("/settings/consents/mood")
    refused = browser.post(f"/runs/{run_id}", mood=4)

    assert "40 answers" in asked
    assert "mood" not in standing(runtime)
    assert refused.status_code == 403
    assert "tick its box again" in refused.text
    with runtime.db.reading() as session:
        assert session.scalars(select(Answer)).all() == []
        assert session.scalars(select(FigureDecision)).all() == []
        assert session.scalars(select(Mail).where(Mail.due_at.is_not(None))).all() == []
        assert session.scalars(select(Run)).all() != []
        assert session.get_one(Runner, runner_id).preferences["ask"] == "never"


def test_nothing_made_from_the_moods_outlives_that_consent(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, _ = fresh_run(stage)
    browser.sign_in(runner_id)
    checkins.drain(runtime)
    exports.ask(runtime, runner_id)
    exports.drain(runtime)
    made = [count(runtime, table) for table in (CheckinDraw, Export)]

    browser.post("/settings/consents/mood")

    left = [count(runtime, table) for table in (CheckinDraw, Export)]
    assert (made, left) == ([1, 1], [0, 0])


def count(runtime: Runtime, table: type[Model]) -> int:
    with runtime.db.reading() as session:
        return len(session.scalars(select(table)).all())


def test_without_that_consent_questions_cannot_be_switched_on_again(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/settings/consents/mood")

    preferences.save(runtime, runner_id, {"units": "mi"})
    with pytest.raises(ConsentMissing):
        preferences.save(runtime, runner_id, {"ask": "every-run"})

    with runtime.db.reading() as session:
        assert session.get_one(Runner, runner_id).preferences["ask"] == "never"


def test_taking_back_the_mails_deletes_the_address_and_keeps_the_answers(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, run_id = fresh_run(stage)
    browser.sign_in(runner_id)
    browser.post(f"/runs/{run_id}", mood=4)

    asked = browser.open("/settings/consents/mail").text
    browser.post("/settings/consents/mail")
    settings = browser.open("/settings").text

    assert "delete your address?" in asked
    assert "mail" not in standing(runtime)
    assert "None confirmed yet" in settings
    with runtime.db.reading() as session:
        runner = session.get_one(Runner, runner_id)
        assert (runner.email, runner.email_hash) == (None, None)
        assert len(session.scalars(select(Answer)).all()) == 1


def test_no_link_to_the_address_works_once_it_is_taken_back(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id = stage.link(stage.athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    link = f"/login/{token_in(runtime, 'sign_in_link')}"

    withdraw_mail(runtime, runner_id)

    assert browser.post(link).status_code == 410


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("kind", ["strava", "adult", "x"])
def test_other_consents_have_no_page_here(browser: Browser, kind: str) -> None:
    assert browser.open(f"/settings/consents/{kind}").status_code == 404
    assert browser.post(f"/settings/consents/{kind}").status_code == 404
