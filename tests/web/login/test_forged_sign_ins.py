"""Nobody signs in with what was forged, stolen, planted or used before."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync.crypto import hash_token
from sync.models import LinkAttempt
from sync.runners import sign_in
from sync.runners.rules import MAIL_LINK_LIFE, SIGN_IN_IDLE, SIGN_IN_LIFE, STATE_LIFE
from sync.runtime import Runtime
from sync.simulator import grants
from sync.vocabulary import MailLinkPurpose
from tests.support.forgery import CONSENT_FIELDS, MOMENT, advance_clock, tamper_token
from tests.support.harness import SCOPE, Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient


def begin_sign_in(browser: PageClient) -> str:
    answer = browser.post("/connect", **CONSENT_FIELDS)
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def return_from_strava(harness: Harness, state: str) -> str:
    with harness.world.transaction():
        code = grants.issue_code(harness.world, harness.add_athlete().id, SCOPE)
    return f"/connect/callback?state={state}&code={code}&scope={SCOPE}"


def is_refused(browser: PageClient, harness: Harness, state: str) -> bool:
    answer = browser.open(return_from_strava(harness, state))
    in_again = browser.open("/dashboard").status_code == 200
    return answer.status_code == 400 and not in_again


def test_a_visit_ends_well_for_whoever_began_it(
    browser: PageClient, harness: Harness
) -> None:
    assert not is_refused(browser, harness, begin_sign_in(browser))


def test_a_visit_is_refused_in_another_browser(
    browser: PageClient, other_browser: PageClient, harness: Harness
) -> None:
    other_browser.open("/connect")

    assert is_refused(other_browser, harness, begin_sign_in(browser))


def test_a_visit_is_refused_a_second_time(
    browser: PageClient, harness: Harness
) -> None:
    state = begin_sign_in(browser)
    browser.open(return_from_strava(harness, state))
    browser.post("/logout")

    assert is_refused(browser, harness, state)


def test_a_visit_is_refused_when_it_took_too_long(
    browser: PageClient, harness: Harness
) -> None:
    state = begin_sign_in(browser)
    advance_clock(harness, STATE_LIFE + MOMENT)

    assert is_refused(browser, harness, state)


def test_a_visit_is_refused_when_it_was_invented(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    state = begin_sign_in(browser)
    with runtime.db.read_only() as session:
        stored = session.scalars(select(LinkAttempt.state_hash)).one()

    assert is_refused(browser, harness, tamper_token(state))
    assert is_refused(browser, harness, stored)


def request_sign_in_link(browser: PageClient, harness: Harness) -> str:
    runner_id = harness.link_runner(harness.add_athlete())
    browser.post("/login", email=f"runner{runner_id}@example.org")
    return f"/login/{read_pending_token(harness.runtime, 'sign_in_link')}"


def test_a_sign_in_link_is_refused_in_another_browser(
    browser: PageClient, other_browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)

    assert other_browser.post(link).status_code == 410
    assert browser.post(link).status_code == 303


def test_a_sign_in_link_is_refused_a_second_time(
    browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)
    browser.post(link)

    assert browser.post(link).status_code == 410


def test_a_sign_in_link_is_refused_after_a_quarter_of_an_hour(
    browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)
    advance_clock(harness, MAIL_LINK_LIFE[MailLinkPurpose.SIGN_IN] + MOMENT)

    assert browser.post(link).status_code == 410


def test_a_sign_in_link_confirms_no_address_and_is_not_used_up(
    browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)

    elsewhere = browser.post(link.replace("/login/", "/email/confirm/"))
    there = browser.post(link)

    assert (elsewhere.status_code, there.status_code) == (410, 303)


def get_cookie(browser: PageClient) -> str:
    session_cookie = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    return session_cookie.value if session_cookie else ""


def has_access(browser: PageClient, cookie: str) -> bool:
    browser.client.set_cookie("moodmiles", cookie, domain="127.0.0.1")
    return browser.open("/settings").status_code == 200


def test_a_stolen_session_ends_when_its_owner_signs_out(
    browser: PageClient, other_browser: PageClient, harness: Harness
) -> None:
    browser.sign_in(harness.link_runner(harness.add_athlete()))
    stolen = get_cookie(browser)
    assert has_access(other_browser, stolen)

    browser.post("/logout")

    assert not has_access(other_browser, stolen)


@pytest.mark.parametrize(
    ("visits", "pause"),
    [(1, SIGN_IN_IDLE + MOMENT), (10, SIGN_IN_LIFE / 9)],
    ids=["left alone", "in use"],
)
def test_a_session_ends_by_itself(
    browser: PageClient, harness: Harness, visits: int, pause: timedelta
) -> None:
    browser.sign_in(harness.link_runner(harness.add_athlete()))
    kept = get_cookie(browser)

    seen = []
    for _ in range(visits):
        advance_clock(harness, pause)
        seen.append(has_access(browser, kept))

    assert not seen[-1]
    assert all(seen[:-2])


def test_a_session_that_was_planted_is_not_taken_over(
    browser: PageClient, other_browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)
    browser.client.set_cookie("moodmiles", "planted", domain="127.0.0.1")

    browser.post(link)

    assert browser.open("/settings").status_code == 200
    assert get_cookie(browser) != "planted"
    assert not has_access(other_browser, "planted")


def test_signing_in_ends_the_session_before(
    browser: PageClient, other_browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)
    browser.sign_in(1)
    former = get_cookie(browser)

    browser.post(link)

    assert not has_access(other_browser, former)


def test_what_the_table_holds_opens_nothing(
    harness: Harness, other_browser: PageClient, runtime: Runtime
) -> None:
    token = sign_in.sign_in(runtime, harness.link_runner(harness.add_athlete()))

    assert has_access(other_browser, token)
    assert not has_access(other_browser, hash_token(token))
