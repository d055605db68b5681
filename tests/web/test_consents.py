"""Each consent can be taken back alone, and what it covered goes with it."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

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
from sync.runners import leave
from sync.runs import private, sweep
from sync.runtime import Runtime
from sync.simulator import grants
from sync.surveys import checkins, controls
from sync.surveys.withdraw import withdraw_mail
from sync.takeout import exports
from tests.mailbag import token_in
from tests.stage import ALL_BOXES, Stage
from tests.web.conftest import Browser
from tests.web.history import give_history
from tests.web.states import fresh_run


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

    controls.save(runtime, runner_id, {"units": "mi"})
    with pytest.raises(ConsentMissing):
        controls.save(runtime, runner_id, {"ask": "every-run"})

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


@pytest.fixture
def with_private(browser: Browser, stage: Stage, runtime: Runtime) -> int:
    """Sign in a runner who lets us see a run of their own, and a public one."""
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=90, visibility="only_me")
    stage.run(athlete, ended_minutes_ago=30)
    runner_id = stage.link(athlete, scope="read,activity:read_all")
    private.agree(runtime, runner_id)
    stage.work()
    browser.sign_in(runner_id)
    return runner_id


def visibilities(runtime: Runtime) -> list[str]:
    with runtime.db.reading() as session:
        return list(session.scalars(select(Run.visibility).order_by(Run.started_at)))


def test_private_runs_are_taken_back_alone_and_at_once(
    browser: Browser, stage: Stage, runtime: Runtime, with_private: int
) -> None:
    before = visibilities(runtime)
    settings = browser.open("/settings").text
    asked = browser.open("/settings/consents/private").text

    browser.post("/settings/consents/private")
    at_once = visibilities(runtime)
    sweep.drain(runtime)
    stage.work()

    assert 'href="/settings/consents/private" aria-label="Take back: Runs' in settings
    assert "Leave out the runs that only you can see?" in asked
    assert (before, at_once) == (["only_me", "everyone"], ["everyone"])
    assert visibilities(runtime) == ["everyone"]
    assert standing(runtime) == {"strava", "mood", "mail", "adult"}


def test_a_private_run_that_a_worker_stores_just_then_goes_soon(
    browser: Browser, stage: Stage, runtime: Runtime, with_private: int
) -> None:
    with runtime.db.transaction() as session:  # nothing of ours tells it apart
        session.execute(update(Run).values(visibility="everyone"))

    browser.post("/settings/consents/private")
    missed = len(visibilities(runtime))
    for _ in range(2):
        sweep.drain(runtime)
        stage.pass_time(hours=1)

    assert (missed, len(visibilities(runtime))) == (2, 1)


def test_private_runs_come_again_once_they_are_agreed_to_again(
    browser: Browser, stage: Stage, runtime: Runtime, with_private: int
) -> None:
    browser.post("/settings/consents/private")
    settings = browser.open("/settings").text
    asked = browser.open("/settings/consents/private").text

    given = browser.post("/settings/consents/private/given", private=1)
    sweep.drain(runtime)

    assert 'href="/settings/consents/private">Include them</a>' in settings
    assert "Include runs that only I can see." in asked
    assert " checked" not in asked
    assert given.location == "/settings?saved=1#consents"
    assert visibilities(runtime) == ["only_me", "everyone"]
    assert "private" in standing(runtime)


def test_private_runs_come_again_when_agreed_to_on_the_way_in(
    stage: Stage, runtime: Runtime, with_private: int
) -> None:
    private.withdraw(runtime, with_private)
    sweep.drain(runtime)
    stage.pass_time(hours=1)

    [athlete] = stage.world.athletes
    boxes = replace(ALL_BOXES, private=True)
    again = stage.link(athlete, scope=boxes.scope, boxes=boxes)
    sweep.drain(runtime)

    assert again == with_private
    assert visibilities(runtime) == ["only_me", "everyone"]


def test_private_runs_are_not_agreed_to_by_an_empty_box(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    refused = browser.post("/settings/consents/private/given")

    assert refused.status_code == 400
    assert "The box is still empty." in refused.text
    assert "private" not in standing(runtime)


def test_a_link_that_does_not_show_private_runs_asks_strava_for_them(
    browser: Browser, runner_id: int, stage: Stage, runtime: Runtime
) -> None:
    athlete = stage.world.athletes.get(7)
    assert athlete
    stage.run(athlete, ended_minutes_ago=90, visibility="only_me")
    asked = browser.open("/settings/consents/private").text

    onward = browser.post("/settings/consents/private/given", private=1).location
    state = parse_qs(urlsplit(onward).query)["state"][0]
    scope = "read,activity:read_all"
    with stage.world.change():
        code = grants.give_code(stage.world, athlete.id, scope)
    browser.open(f"/connect/callback?state={state}&code={code}&scope={scope}")
    stage.work()

    assert "Next, Strava asks you too." in asked
    assert "activity%3Aread_all" in onward
    assert "private" in standing(runtime)
    assert "only_me" in visibilities(runtime)


def test_nobody_unlinked_is_asked_about_private_runs(
    browser: Browser, runner_id: int, stage: Stage
) -> None:
    leave.disconnect(stage.runtime, runner_id)

    assert browser.open("/settings/consents/private").location == "/connect"
    assert "Include them" not in browser.open("/settings").text


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("kind", ["strava", "adult", "x"])
def test_other_consents_have_no_page_here(browser: Browser, kind: str) -> None:
    assert browser.open(f"/settings/consents/{kind}").status_code == 404
    assert browser.post(f"/settings/consents/{kind}").status_code == 404
