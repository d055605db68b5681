"""Signing in again: by one's own ways, and back to what one was about to do."""

from urllib.parse import parse_qs, urlsplit

import pytest

from sync.runners.rules import FRESH_SIGN_IN
from sync.runtime import Runtime
from sync.simulator import grants
from tests.support.forgery import MOMENT, advance_clock
from tests.support.harness import SCOPE, Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient


@pytest.fixture
def runner_id(harness: Harness, browser: PageClient) -> int:
    """Sign in a runner with two proven ways, and let ten minutes pass."""
    runner_id = harness.link_runner(harness.add_athlete())
    harness.advance_clock(days=8)
    browser.sign_in(runner_id)
    advance_clock(harness, FRESH_SIGN_IN + MOMENT)
    return runner_id


def return_from_strava(browser: PageClient, harness: Harness, athlete_id: int) -> str:
    """Walk to Strava by the page's button and come back; return where it leads."""
    left = browser.post("/connect/again")
    state = parse_qs(urlsplit(left.location).query)["state"][0]
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete_id, SCOPE)
    answer = browser.open(f"/connect/callback?state={state}&code={code}&scope={SCOPE}")
    return answer.location or str(answer.status_code)


@pytest.mark.usefixtures("runner_id")
def test_strava_leads_back_to_the_form(browser: PageClient, harness: Harness) -> None:
    browser.post("/settings/delete")

    back = return_from_strava(browser, harness, 7)

    assert back == "/settings/delete"
    assert browser.open(back).status_code == 200
    assert browser.post("/settings/delete").location == "/settings/delete"


@pytest.mark.usefixtures("runner_id")
def test_a_link_to_the_own_address_leads_back_to_the_form(
    browser: PageClient, runtime: Runtime
) -> None:
    browser.open("/email")
    page = browser.open("/login/again").text
    sent = browser.post("/login/again")

    back = browser.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")

    assert "runner1@example.org" in page
    assert "Look into your mail." in browser.open(sent.location).text
    assert back.location == "/email"
    assert browser.open("/email").status_code == 200


@pytest.mark.usefixtures("runner_id")
def test_nothing_is_done_by_signing_in_alone(
    browser: PageClient, harness: Harness
) -> None:
    browser.post("/settings/disconnect")

    return_from_strava(browser, harness, 7)

    assert "Disconnect Strava" in browser.open("/settings").text


def test_the_link_works_in_no_other_browser_and_ends_with_its_sign_in(
    browser: PageClient, other_browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/login/again")
    link = f"/login/{read_pending_token(runtime, 'sign_in_link')}"

    elsewhere = other_browser.post(link)
    browser.post("/logout")
    late = browser.post(link)

    assert runner_id
    assert (elsewhere.status_code, late.status_code) == (410, 410)


@pytest.mark.usefixtures("runner_id")
def test_somebody_elses_strava_switches_accounts_and_allows_nothing(
    browser: PageClient, harness: Harness
) -> None:
    harness.link_runner(harness.add_athlete(8))
    browser.open("/settings/delete")

    back = return_from_strava(browser, harness, 8)
    page = browser.open(back).text

    assert back == "/login/switched"
    assert "This is another account." in page
    assert "runner2@example.org" in browser.open("/settings").text


@pytest.mark.usefixtures("runner_id")
def test_a_strava_account_that_is_new_here_allows_nothing(
    browser: PageClient, harness: Harness
) -> None:
    harness.add_athlete(9)
    browser.open("/settings/delete")

    back = return_from_strava(browser, harness, 9)

    assert back.startswith("/connect?new=1")
    assert browser.open("/settings/delete").status_code == 303


def test_only_the_ways_that_the_runner_has_are_offered(
    browser: PageClient, harness: Harness
) -> None:
    both = harness.link_runner(harness.add_athlete())
    strava_alone = harness.link_runner(harness.add_athlete(8), has_address=False)
    harness.advance_clock(days=8)

    pages = []
    for runner_id in (both, strava_alone):
        browser.sign_in(runner_id)
        pages.append(browser.open("/login/again").text)

    offers = [
        ('action="/connect/again"' in page, 'action="/login/again"' in page)
        for page in pages
    ]
    assert offers == [(True, True), (True, False)]


def test_a_new_address_is_not_offered_where_it_is_not_enough(
    browser: PageClient, harness: Harness
) -> None:
    browser.sign_in(harness.link_runner(harness.add_athlete()))

    strict = browser.open("/login/again").text
    lenient = browser.open("/login/again?any=1").text

    assert 'action="/login/again"' not in strict
    assert "Your address is new here" in strict
    assert 'action="/login/again"' in lenient


def test_a_newcomer_is_led_to_the_address_and_gives_it_at_once(
    browser: PageClient, harness: Harness
) -> None:
    browser.open("/login?next=/dashboard")
    left = browser.post("/connect", strava="1", mood="1", adult="1")
    state = parse_qs(urlsplit(left.location).query)["state"][0]
    with harness.world.transaction():
        code = grants.issue_code(harness.world, harness.add_athlete().id, SCOPE)

    back = browser.open(f"/connect/callback?state={state}&code={code}&scope={SCOPE}")

    assert back.location == "/email"
    assert browser.open("/email").status_code == 200
    assert browser.post("/email", email="ada@example.org").location == "/email/sent"


def test_every_signed_in_page_has_sign_out_at_its_top(
    browser: PageClient, runner_id: int
) -> None:
    browser.sign_in(runner_id)

    for path in ("/dashboard", "/settings", "/settings/export", "/wellbeing", "/help"):
        top = browser.open(path).text.partition("</header>")[0]
        assert 'action="/logout"' in top, path
