"""Nobody signs in with what was forged, stolen, planted or used before."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync.crypto import token_hash
from sync.models import LinkAttempt
from sync.runners import sign_in
from sync.runners.rules import MAIL_LINK_LIFE, SIGN_IN_IDLE, SIGN_IN_LIFE, STATE_LIFE
from sync.runtime import Runtime
from sync.simulator import grants
from tests.support.forgery import A_MOMENT, BOXES, tampered, wait
from tests.support.harness import SCOPE, Stage
from tests.support.outbox_reader import token_in
from tests.web.conftest import Browser


def begun(browser: Browser) -> str:
    answer = browser.post("/connect", **BOXES)
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def back(stage: Stage, state: str) -> str:
    with stage.world.change():
        code = grants.give_code(stage.world, stage.athlete().id, SCOPE)
    return f"/connect/callback?state={state}&code={code}&scope={SCOPE}"


def refused(browser: Browser, stage: Stage, state: str) -> bool:
    answer = browser.open(back(stage, state))
    in_again = browser.open("/dashboard").status_code == 200
    return answer.status_code == 400 and not in_again


def test_a_visit_ends_well_for_whoever_began_it(browser: Browser, stage: Stage) -> None:
    assert not refused(browser, stage, begun(browser))


def test_a_visit_is_refused_in_another_browser(
    browser: Browser, stranger: Browser, stage: Stage
) -> None:
    stranger.open("/connect")

    assert refused(stranger, stage, begun(browser))


def test_a_visit_is_refused_a_second_time(browser: Browser, stage: Stage) -> None:
    state = begun(browser)
    browser.open(back(stage, state))
    browser.post("/logout")

    assert refused(browser, stage, state)


def test_a_visit_is_refused_when_it_took_too_long(
    browser: Browser, stage: Stage
) -> None:
    state = begun(browser)
    wait(stage, STATE_LIFE + A_MOMENT)

    assert refused(browser, stage, state)


def test_a_visit_is_refused_when_it_was_invented(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    state = begun(browser)
    with runtime.db.reading() as session:
        stored = session.scalars(select(LinkAttempt.state_hash)).one()

    assert refused(browser, stage, tampered(state))
    assert refused(browser, stage, stored)


def sign_in_link(browser: Browser, stage: Stage) -> str:
    runner_id = stage.link(stage.athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    return f"/login/{token_in(stage.runtime, 'sign_in_link')}"


def test_a_sign_in_link_is_refused_in_another_browser(
    browser: Browser, stranger: Browser, stage: Stage
) -> None:
    link = sign_in_link(browser, stage)

    assert stranger.post(link).status_code == 410
    assert browser.post(link).status_code == 303


def test_a_sign_in_link_is_refused_a_second_time(
    browser: Browser, stage: Stage
) -> None:
    link = sign_in_link(browser, stage)
    browser.post(link)

    assert browser.post(link).status_code == 410


def test_a_sign_in_link_is_refused_after_a_quarter_of_an_hour(
    browser: Browser, stage: Stage
) -> None:
    link = sign_in_link(browser, stage)
    wait(stage, MAIL_LINK_LIFE["sign in"] + A_MOMENT)

    assert browser.post(link).status_code == 410


def test_a_sign_in_link_confirms_no_address_and_is_not_used_up(
    browser: Browser, stage: Stage
) -> None:
    link = sign_in_link(browser, stage)

    elsewhere = browser.post(link.replace("/login/", "/email/confirm/"))
    there = browser.post(link)

    assert (elsewhere.status_code, there.status_code) == (410, 303)


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    return found.value if found else ""


def opens(browser: Browser, cookie: str) -> bool:
    browser.client.set_cookie("moodmiles", cookie, domain="127.0.0.1")
    return browser.open("/settings").status_code == 200


def test_a_stolen_session_ends_when_its_owner_signs_out(
    browser: Browser, stranger: Browser, stage: Stage
) -> None:
    browser.sign_in(stage.link(stage.athlete()))
    stolen = cookie(browser)
    assert opens(stranger, stolen)

    browser.post("/logout")

    assert not opens(stranger, stolen)


@pytest.mark.parametrize(
    ("visits", "pause"),
    [(1, SIGN_IN_IDLE + A_MOMENT), (10, SIGN_IN_LIFE / 9)],
    ids=["left alone", "in use"],
)
def test_a_session_ends_by_itself(
    browser: Browser, stage: Stage, visits: int, pause: timedelta
) -> None:
    browser.sign_in(stage.link(stage.athlete()))
    kept = cookie(browser)

    seen = []
    for _ in range(visits):
        wait(stage, pause)
        seen.append(opens(browser, kept))

    assert not seen[-1]
    assert all(seen[:-2])


def test_a_session_that_was_planted_is_not_taken_over(
    browser: Browser, stranger: Browser, stage: Stage
) -> None:
    link = sign_in_link(browser, stage)
    browser.client.set_cookie("moodmiles", "planted", domain="127.0.0.1")

    browser.post(link)

    assert browser.open("/settings").status_code == 200
    assert cookie(browser) != "planted"
    assert not opens(stranger, "planted")


def test_signing_in_ends_the_session_before(
    browser: Browser, stranger: Browser, stage: Stage
) -> None:
    link = sign_in_link(browser, stage)
    browser.sign_in(1)
    former = cookie(browser)

    browser.post(link)

    assert not opens(stranger, former)


def test_what_the_table_holds_opens_nothing(
    stage: Stage, stranger: Browser, runtime: Runtime
) -> None:
    token = sign_in.sign_in(runtime, stage.link(stage.athlete()))

    assert opens(stranger, token)
    assert not opens(stranger, token_hash(token))
