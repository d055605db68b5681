"""Nobody signs in with what was forged, stolen, planted or used before."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from typing_extensions import override

from sync.crypto import hash_token
from sync.errors import StateRefused
from sync.models import LinkAttempt, Runner
from sync.portability import exports
from sync.portability.exports import ExportState
from sync.runners import (
    address,
    browser_sessions,
    connect,
    disconnect,
    sign_in,
    sign_in_changes,
)
from sync.runners.rules import MAIL_LINK_LIFE, SIGN_IN_IDLE, SIGN_IN_LIFE, STATE_LIFE
from sync.runtime import Runtime
from sync.simulator import grants
from sync.strava import Grant
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.vocabulary import MailLinkPurpose
from tests.support.clock import ManualClock
from tests.support.forgery import CONSENT_FIELDS, MOMENT, advance_clock, tamper_token
from tests.support.harness import ALL_CONSENTS, SCOPE, Harness
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


def begin_for_runner(browser: PageClient, harness: Harness) -> tuple[int, str]:
    """Let a runner without Strava begin a visit there; return the visit's state."""
    runner_id = harness.link_runner(harness.add_athlete())
    disconnect.disconnect(harness.runtime, runner_id)
    browser.sign_in(runner_id)
    return runner_id, begin_sign_in(browser)


def return_as(
    browser: PageClient, harness: Harness, state: str, athlete_id: int
) -> int:
    harness.add_athlete(athlete_id)
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete_id, SCOPE)
    return browser.open(
        f"/connect/callback?state={state}&code={code}&scope={SCOPE}"
    ).status_code


def read_athlete(harness: Harness, runner_id: int) -> int | None:
    with harness.runtime.db.read_only() as session:
        return session.get_one(Runner, runner_id).athlete_id


def test_a_visit_of_who_signed_out_is_over_for_the_next_at_that_browser(
    browser: PageClient, harness: Harness
) -> None:
    runner_id, state = begin_for_runner(browser, harness)
    browser.post("/logout")

    status = return_as(browser, harness, state, 8)

    assert status == 400
    assert read_athlete(harness, runner_id) is None
    assert browser.open("/dashboard").status_code == 302


@pytest.mark.parametrize("ending", ["logout", "one", "others", "all", "undo"])
def test_a_thiefs_visit_ends_with_the_stolen_sign_in(
    browser: PageClient, other_browser: PageClient, harness: Harness, ending: str
) -> None:
    runtime = harness.runtime
    runner_id, _ = begin_for_runner(browser, harness)
    stolen = get_cookie(browser)
    other_browser.client.set_cookie("moodmiles", stolen, domain="127.0.0.1")
    state = begin_sign_in(other_browser)

    end_sign_in(ending, browser, runtime, runner_id)

    assert return_as(other_browser, harness, state, 8) == 400
    assert read_athlete(harness, runner_id) is None
    assert other_browser.open("/dashboard").status_code == 302


def end_sign_in(
    ending: str, browser: PageClient, runtime: Runtime, runner_id: int
) -> None:
    """End the stolen sign-in, which is this browser's own, in one of all ways."""
    if ending == "logout":
        browser.post("/logout")
        return
    stolen = get_cookie(browser)
    mine = sign_in.sign_in(runtime, runner_id)
    if ending == "one":
        (handle,) = (
            seen.handle
            for seen in browser_sessions.list_browsers(runtime, runner_id, token=mine)
            if not seen.is_this
        )
        browser_sessions.sign_out_browser(runtime, runner_id, handle)
    elif ending == "others":
        browser_sessions.sign_out_others(runtime, runner_id, token=mine)
    elif ending == "all":
        browser_sessions.sign_out_all(runtime, runner_id)
    else:
        address.request_confirmation(runtime, runner_id=runner_id, email="n@x.org")
        token = read_pending_token(runtime, "confirm_address")
        address.confirm_address(runtime, token=token)
        token = read_pending_token(runtime, "address_changed")
        sign_in_changes.undo_change(runtime, token=token)
    assert sign_in.find_signed_in(runtime, stolen) is None


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("ending", ["logout", "one", "others", "all", "undo"])
def test_what_a_stolen_sign_in_asked_for_ends_with_it(
    browser: PageClient, harness: Harness, ending: str
) -> None:
    runtime = harness.runtime
    runner_id = harness.link_runner(harness.add_athlete())
    harness.advance_clock(days=8)
    browser.sign_in(runner_id)
    browser.post("/email", email="thief@example.org")
    confirmation = read_pending_token(runtime, "confirm_address")
    code = address.load_code(runtime, token=get_cookie(browser))
    browser.post("/login/again")
    link = read_pending_token(runtime, "sign_in_link")
    browser.post("/settings/export")
    asked_in = browser.client.get_cookie("moodmiles-browser", domain="127.0.0.1")
    assert asked_in

    end_sign_in(ending, browser, runtime, runner_id)

    assert code
    confirmed = address.confirm_address(
        runtime, token=confirmation, browser=asked_in.value, code=code
    )
    signed_in = sign_in.redeem_sign_in_link(runtime, token=link, browser=asked_in.value)
    assert (confirmed, signed_in) == (None, None)
    # Whoever signs out by themselves still finds their export when they come back.
    is_kept = exports.load_status(runtime, runner_id).state is not ExportState.NONE
    assert is_kept == (ending == "logout")


def test_a_link_asked_for_elsewhere_ends_when_others_are_signed_out(
    browser: PageClient, harness: Harness
) -> None:
    link = request_sign_in_link(browser, harness)
    mine = sign_in.sign_in(harness.runtime, 1)

    browser_sessions.sign_out_others(harness.runtime, 1, token=mine)

    assert browser.post(link).status_code == 410


def test_a_visit_begun_signed_out_gives_nobody_elses_session(
    browser: PageClient, harness: Harness
) -> None:
    state = begin_sign_in(browser)
    browser.sign_in(harness.link_runner(harness.add_athlete(8)))

    browser.open(return_from_strava(harness, state))

    assert "This is another account." in browser.open("/login/switched").text


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_sign_in_that_ends_while_strava_answers_links_nothing(
    harness: Harness, clock: ManualClock
) -> None:
    runtime = harness.runtime
    runner_id = harness.link_runner(harness.add_athlete())
    disconnect.disconnect(runtime, runner_id)
    token = sign_in.sign_in(runtime, runner_id)
    url = connect.begin_link(
        runtime, browser="b", given_consents=ALL_CONSENTS, sign_in_token=token
    )
    harness.add_athlete(8)
    with harness.world.transaction():
        code = grants.issue_code(harness.world, 8, SCOPE)

    class SlowStrava(HttpStrava):
        @override
        def exchange(self, code: str) -> Grant:
            sign_in.sign_out(runtime, token)
            return super().exchange(code)

    slow = SlowStrava(runtime.settings, budget=Budget("", clock=clock))
    with pytest.raises(StateRefused):
        connect.finish_link(
            replace(runtime, strava=slow),
            state=parse_qs(urlsplit(url).query)["state"][0],
            browser="b",
            code=code,
            scope=SCOPE,
            sign_in_token=token,
        )

    assert read_athlete(harness, runner_id) is None
    assert harness.world.grants.get(8) is None
