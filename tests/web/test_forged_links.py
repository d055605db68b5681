"""A mailed link does its one thing, for its own runner, in its own time."""

from datetime import timedelta

from sqlalchemy import select

from sync.models import Answer, Runner
from sync.runners import address, sign_in_changes
from sync.runners.rules import MAIL_LINK_LIFE
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from sync.vocabulary import MailLinkPurpose
from tests.support.forgery import MOMENT, advance_clock, tamper_token
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.web.conftest import PageClient


def list_answers(runtime: Runtime) -> list[tuple[int, bytes]]:
    with runtime.db.read_only() as session:
        rows = session.execute(select(Answer.runner_id, Answer.sealed))
        return [(row.runner_id, row.sealed) for row in rows]


def test_a_link_that_is_not_quite_right_opens_no_survey(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    build_fresh_run(harness)
    token = tamper_token(read_pending_token(runtime))

    assert browser.open(f"/s/{token}").status_code == 404
    assert browser.client.post(f"/s/{token}", data={"mood": "1"}).status_code == 404
    assert list_answers(runtime) == []


def test_a_survey_answers_for_its_own_runner_whoever_is_signed_in(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    asked, _ = build_fresh_run(harness)
    browser.sign_in(harness.link_runner(harness.add_athlete(8)))

    browser.client.post(f"/s/{read_pending_token(runtime)}", data={"mood": "1"})

    assert [runner_id for runner_id, _ in list_answers(runtime)] == [asked]


def test_a_survey_answered_again_changes_its_answer_and_adds_none(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    build_fresh_run(harness)
    path = f"/s/{read_pending_token(runtime)}"

    for mood in ("1", "5", "5"):
        browser.client.post(path, data={"mood": mood})

    assert len(list_answers(runtime)) == 1


def test_a_survey_that_is_over_takes_no_answer(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    build_fresh_run(harness)
    path = f"/s/{read_pending_token(runtime)}"
    browser.client.post(path, data={"mood": "1"})
    kept = list_answers(runtime)
    advance_clock(harness, timedelta(days=2))

    late = browser.client.post(path, data={"mood": "5"})

    assert late.status_code == 410
    assert list_answers(runtime) == kept


def test_looking_at_a_survey_is_not_answering(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    build_fresh_run(harness)

    browser.open(f"/s/{read_pending_token(runtime)}?m=5&mood=5")

    assert list_answers(runtime) == []


def is_stopped(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.read_only() as session:
        preferences = session.get_one(Runner, runner_id).preferences
    return preferences.is_asking_stopped


def test_nobody_stops_the_mails_of_another(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    ada, ben = (
        harness.link_runner(harness.add_athlete()),
        harness.link_runner(harness.add_athlete(8)),
    )
    _, _, hers = unsubscribe.create_token(runtime, ada).partition("-")

    answer = browser.client.post(f"/u/{ben}-{hers}")

    assert answer.status_code == 404
    assert not is_stopped(runtime, ben)


def test_looking_at_the_way_out_stops_nothing(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    ada = harness.link_runner(harness.add_athlete())

    page = browser.open(f"/u/{unsubscribe.create_token(runtime, ada)}")

    assert page.status_code == 200
    assert not is_stopped(runtime, ada)


def test_a_token_for_something_else_stops_nothing(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    ada = harness.link_runner(harness.add_athlete())

    answer = browser.client.post(f"/u/{pre_run.create_token(runtime, ada)}")

    assert answer.status_code == 404
    assert not is_stopped(runtime, ada)


def read_confirmation_token(harness: Harness) -> tuple[int, str]:
    runner_id = harness.link_runner(harness.add_athlete(), has_address=False)
    address.request_confirmation(
        harness.runtime, runner_id=runner_id, email="ada@example.org"
    )
    return runner_id, read_pending_token(harness.runtime, "confirm_address")


def is_confirmed(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.read_only() as session:
        return session.get_one(Runner, runner_id).email_confirmed_at is not None


def test_an_address_is_confirmed_once(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, token = read_confirmation_token(harness)

    first = browser.post(f"/email/confirm/{token}")
    with runtime.db.transaction() as session:
        sign_in_changes.clear_address(session.get_one(Runner, runner_id))
    again = browser.post(f"/email/confirm/{token}")

    assert (first.status_code, again.status_code) == (200, 410)
    assert not is_confirmed(runtime, runner_id)


def test_an_address_is_confirmed_within_two_days(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, token = read_confirmation_token(harness)
    advance_clock(harness, MAIL_LINK_LIFE[MailLinkPurpose.CONFIRM_ADDRESS] + MOMENT)

    late = browser.post(f"/email/confirm/{token}")

    assert late.status_code == 410
    assert not is_confirmed(runtime, runner_id)


def test_a_mistyped_address_cannot_be_confirmed_once_another_is_given(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, token = read_confirmation_token(harness)
    address.request_confirmation(runtime, runner_id=runner_id, email="ada@example.com")

    strangers = browser.post(f"/email/confirm/{token}")

    assert strangers.status_code == 410
    assert not is_confirmed(runtime, runner_id)


def test_of_two_links_to_one_address_either_confirms_it(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, token = read_confirmation_token(harness)
    address.request_confirmation(runtime, runner_id=runner_id, email="ada@example.org")

    first = browser.post(f"/email/confirm/{token}")

    assert first.status_code == 200
    assert is_confirmed(runtime, runner_id)


def test_a_link_that_went_to_the_former_address_signs_nobody_in(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    address.request_confirmation(runtime, runner_id=runner_id, email="new@example.org")
    browser.post(f"/email/confirm/{read_pending_token(runtime, 'confirm_address')}")

    late = browser.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")

    assert late.status_code == 410


def test_looking_at_a_confirmation_confirms_nothing(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, token = read_confirmation_token(harness)

    browser.open(f"/email/confirm/{token}")

    assert not is_confirmed(runtime, runner_id)


def test_a_confirmation_signs_nobody_in(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    _, token = read_confirmation_token(harness)

    assert browser.post(f"/login/{token}").status_code == 410
