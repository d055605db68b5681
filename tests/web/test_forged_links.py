"""A mailed link does its one thing, for its own runner, in its own time."""

from datetime import timedelta

from sqlalchemy import select

from sync.models import Answer, Runner
from sync.preferences import Preferences
from sync.runners import address
from sync.runners.rules import MAIL_LINK_LIFE
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from tests.support.forgery import A_MOMENT, tampered, wait
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.support.page_fixtures import fresh_run
from tests.web.conftest import Browser


def answers(runtime: Runtime) -> list[tuple[int, bytes]]:
    with runtime.db.reading() as session:
        found = session.execute(select(Answer.runner_id, Answer.sealed))
        return [(row.runner_id, row.sealed) for row in found]


def test_a_link_that_is_not_quite_right_opens_no_survey(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    fresh_run(stage)
    token = tampered(token_in(runtime))

    assert browser.open(f"/s/{token}").status_code == 404
    assert browser.client.post(f"/s/{token}", data={"mood": "1"}).status_code == 404
    assert answers(runtime) == []


def test_a_survey_answers_for_its_own_runner_whoever_is_signed_in(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    asked, _ = fresh_run(stage)
    browser.sign_in(stage.link(stage.athlete(8)))

    browser.client.post(f"/s/{token_in(runtime)}", data={"mood": "1"})

    assert [runner_id for runner_id, _ in answers(runtime)] == [asked]


def test_a_survey_answered_again_changes_its_answer_and_adds_none(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    fresh_run(stage)
    path = f"/s/{token_in(runtime)}"

    for mood in ("1", "5", "5"):
        browser.client.post(path, data={"mood": mood})

    assert len(answers(runtime)) == 1


def test_a_survey_that_is_over_takes_no_answer(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    fresh_run(stage)
    path = f"/s/{token_in(runtime)}"
    browser.client.post(path, data={"mood": "1"})
    kept = answers(runtime)
    wait(stage, timedelta(days=2))

    late = browser.client.post(path, data={"mood": "5"})

    assert late.status_code == 410
    assert answers(runtime) == kept


def test_looking_at_a_survey_is_not_answering(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    fresh_run(stage)

    browser.open(f"/s/{token_in(runtime)}?m=5&mood=5")

    assert answers(runtime) == []


def stopped(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.reading() as session:
        kept = session.get_one(Runner, runner_id).preferences
    return Preferences.of(kept) != Preferences.of({})


def test_nobody_stops_the_mails_of_another(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    ada, ben = stage.link(stage.athlete()), stage.link(stage.athlete(8))
    _, _, hers = unsubscribe.token_for(runtime, ada).partition("-")

    answer = browser.client.post(f"/u/{ben}-{hers}")

    assert answer.status_code == 404
    assert not stopped(runtime, ben)


def test_looking_at_the_way_out_stops_nothing(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    ada = stage.link(stage.athlete())

    page = browser.open(f"/u/{unsubscribe.token_for(runtime, ada)}")

    assert page.status_code == 200
    assert not stopped(runtime, ada)


def test_a_token_for_something_else_stops_nothing(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    ada = stage.link(stage.athlete())

    answer = browser.client.post(f"/u/{pre_run.token_for(runtime, ada)}")

    assert answer.status_code == 404
    assert not stopped(runtime, ada)


def confirmation(stage: Stage) -> tuple[int, str]:
    runner_id = stage.link(stage.athlete(), address=False)
    address.ask(stage.runtime, runner_id=runner_id, email="ada@example.org")
    return runner_id, token_in(stage.runtime, "confirm_address")


def confirmed(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.reading() as session:
        return session.get_one(Runner, runner_id).email_confirmed_at is not None


def test_an_address_is_confirmed_once(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, token = confirmation(stage)

    first = browser.post(f"/email/confirm/{token}")
    with runtime.db.transaction() as session:
        address.forget(session.get_one(Runner, runner_id))
    again = browser.post(f"/email/confirm/{token}")

    assert (first.status_code, again.status_code) == (200, 410)
    assert not confirmed(runtime, runner_id)


def test_an_address_is_confirmed_within_two_days(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, token = confirmation(stage)
    wait(stage, MAIL_LINK_LIFE["confirm"] + A_MOMENT)

    late = browser.post(f"/email/confirm/{token}")

    assert late.status_code == 410
    assert not confirmed(runtime, runner_id)


def test_a_mistyped_address_cannot_be_confirmed_once_another_is_given(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, token = confirmation(stage)
    address.ask(runtime, runner_id=runner_id, email="ada@example.com")

    strangers = browser.post(f"/email/confirm/{token}")

    assert strangers.status_code == 410
    assert not confirmed(runtime, runner_id)


def test_of_two_links_to_one_address_either_confirms_it(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, token = confirmation(stage)
    address.ask(runtime, runner_id=runner_id, email="ada@example.org")

    first = browser.post(f"/email/confirm/{token}")

    assert first.status_code == 200
    assert confirmed(runtime, runner_id)


def test_a_link_that_went_to_the_former_address_signs_nobody_in(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id = stage.link(stage.athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    address.ask(runtime, runner_id=runner_id, email="new@example.org")
    browser.post(f"/email/confirm/{token_in(runtime, 'confirm_address')}")

    late = browser.post(f"/login/{token_in(runtime, 'sign_in_link')}")

    assert late.status_code == 410


def test_looking_at_a_confirmation_confirms_nothing(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id, token = confirmation(stage)

    browser.open(f"/email/confirm/{token}")

    assert not confirmed(runtime, runner_id)


def test_a_confirmation_signs_nobody_in(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    _, token = confirmation(stage)

    assert browser.post(f"/login/{token}").status_code == 410
