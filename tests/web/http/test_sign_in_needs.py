"""Who needs to have signed in just now, and how they come back to what they began."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from flask import Flask

from sync.runners import sign_in
from sync.runners.rules import FRESH_SIGN_IN
from sync.runtime import Runtime
from sync.vocabulary import SignInMethod
from tests.support.forgery import CONSENT_FIELDS, MOMENT, advance_clock
from tests.support.harness import Harness
from tests.web.conftest import PageClient
from web.app import create_app
from web.http import sign_in_needs
from web.http.sign_in_needs import NEEDS, SignInNeed

AGAIN = "/login/again"
# What a stolen cookie must not do, written down a second time: the path, its form, and
# the page with the form.
GUARDED: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "browser_sessions.sign_out": (
        "/settings/sign-ins",
        {"others": "1"},
        "/settings/sign-ins",
    ),
    "consents.include_private": (
        "/settings/consents/private/given",
        {"private": "1"},
        "/settings/consents/private",
    ),
    "consents.renew": ("/settings/consents", {}, "/settings/consents"),
    "consents.withdraw": ("/settings/consents/mood", {}, "/settings/consents/mood"),
    "disconnect_and_delete.disconnect": (
        "/settings/disconnect",
        {},
        "/settings/disconnect",
    ),
    "disconnect_and_delete.request_deletion": (
        "/settings/delete",
        {},
        "/settings/delete",
    ),
    "email.request_confirmation": ("/email", {"email": "new@example.org"}, "/email"),
    "export.request_export": ("/settings/export", {}, "/settings/export"),
}
GUARDED_PAGES: Mapping[str, tuple[str, str]] = {
    "consents.private_page": (
        "/settings/consents/private",
        "/settings/consents/private",
    ),
    "consents.withdraw_page": ("/settings/consents/mail", "/settings/consents/mail"),
    "disconnect_and_delete.delete_page": ("/settings/delete", "/settings/delete"),
    "disconnect_and_delete.disconnect_page": (
        "/settings/disconnect",
        "/settings/disconnect",
    ),
    "email.address_page": ("/email", "/email"),
    "export.download": ("/settings/export/moodmiles.zip", "/settings/export"),
}


@pytest.fixture
def stale_browser(browser: PageClient, runner_id: int, harness: Harness) -> PageClient:
    """Return a browser whose sign-in is a moment too old."""
    assert runner_id
    advance_clock(harness, FRESH_SIGN_IN + MOMENT)
    return browser


def read_next_path(browser: PageClient) -> str:
    cookie = browser.client.get_cookie("moodmiles-next", domain="127.0.0.1")
    return cookie.decoded_value if cookie else ""


def test_every_endpoint_that_takes_a_form_says_what_it_needs(runtime: Runtime) -> None:
    app = create_app(runtime)
    posts = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or set())
    }

    assert posts <= NEEDS.keys()
    assert NEEDS.keys() <= {rule.endpoint for rule in app.url_map.iter_rules()}


def test_an_application_with_a_form_that_says_nothing_does_not_start() -> None:
    app = Flask(__name__)
    app.add_url_rule("/new", "new.save", lambda: "", methods=["POST"])

    with pytest.raises(LookupError, match=r"new\.save"):
        sign_in_needs.require_declared(app)


def test_nothing_that_is_guarded_here_was_loosened_there() -> None:
    needs_more = {
        endpoint
        for endpoint, need in NEEDS.items()
        if need in {SignInNeed.FRESH, SignInNeed.RECENT}
    }

    # Its page is shown as long as a deletion waits, so it asks by itself.
    by_view = {"disconnect_and_delete.delete_page"}
    assert GUARDED.keys() | GUARDED_PAGES.keys() - by_view == needs_more
    assert NEEDS["connect.start_authorization"] is SignInNeed.FRESH_TO_LINK


@pytest.mark.parametrize("endpoint", GUARDED)
def test_an_old_sign_in_sends_no_such_form(
    stale_browser: PageClient, endpoint: str, runtime: Runtime
) -> None:
    path, fields, form_page = GUARDED[endpoint]

    answer = stale_browser.post(path, **fields)

    assert (answer.status_code, answer.location.split("?")[0]) == (303, AGAIN)
    assert read_next_path(stale_browser) == form_page
    assert "Please sign in again" in stale_browser.open(answer.location).text


@pytest.mark.parametrize("endpoint", GUARDED_PAGES)
def test_an_old_sign_in_is_asked_before_the_form_is_filled_in(
    stale_browser: PageClient, endpoint: str
) -> None:
    path, form_page = GUARDED_PAGES[endpoint]

    answer = stale_browser.open(path)

    assert (answer.status_code, answer.location.split("?")[0]) == (303, AGAIN)
    assert read_next_path(stale_browser) == form_page


@pytest.mark.parametrize("endpoint", GUARDED)
def test_a_sign_in_of_the_last_ten_minutes_sends_it(
    browser: PageClient, runner_id: int, harness: Harness, endpoint: str
) -> None:
    path, fields, _ = GUARDED[endpoint]
    advance_clock(harness, FRESH_SIGN_IN - MOMENT)

    answer = browser.post(path, **fields)

    assert runner_id
    assert answer.status_code in {200, 302, 303}
    assert not (answer.location or "").startswith(AGAIN)


@pytest.mark.parametrize(
    "path",
    [
        "/dashboard",
        "/dashboard/data.json",
        "/dashboard/answers.csv",
        "/settings",
        "/settings/sign-ins",
        "/settings/export",
        "/wellbeing",
    ],
)
def test_reading_needs_no_new_sign_in(stale_browser: PageClient, path: str) -> None:
    assert stale_browser.open(path).status_code == 200


def test_settings_and_signing_out_need_no_new_sign_in(
    stale_browser: PageClient, runtime: Runtime
) -> None:
    saved = stale_browser.post("/settings", units="mi", pause="keep")
    left = stale_browser.post("/logout")

    assert saved.status_code in {303, 400}
    assert not (saved.location or "").startswith(AGAIN)
    assert left.location == "/"


def test_a_deletion_is_undone_by_an_old_sign_in(
    browser: PageClient, runner_id: int, harness: Harness
) -> None:
    sign_in.sign_in(harness.runtime, runner_id)
    advance_clock(harness, FRESH_SIGN_IN - timedelta(minutes=1))
    browser.post("/settings/delete")
    advance_clock(harness, timedelta(minutes=5))

    shown = browser.open("/settings/delete")
    undone = browser.post("/settings/delete/undo")

    assert "Everything goes in a few minutes." in shown.text
    assert "Everything is kept." in undone.text


def test_linking_the_first_strava_account_needs_a_new_sign_in(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    browser.sign_in(runner_id)
    browser.post("/settings/disconnect")
    advance_clock(harness, FRESH_SIGN_IN + MOMENT)

    refused = browser.post("/connect", **CONSENT_FIELDS)
    browser.sign_in(runner_id)
    begun = browser.post("/connect", **CONSENT_FIELDS)

    assert refused.location.startswith(AGAIN)
    assert read_next_path(browser) == "/connect"
    assert begun.location.startswith(runtime.settings.strava_site_url)


def test_a_linked_runner_connects_again_with_no_new_sign_in(
    stale_browser: PageClient, runtime: Runtime
) -> None:
    begun = stale_browser.post("/connect", **CONSENT_FIELDS)

    assert begun.location.startswith(runtime.settings.strava_site_url)


def test_a_runner_without_any_way_to_sign_in_is_not_locked_out(
    browser: PageClient, harness: Harness
) -> None:
    runner_id = harness.link_runner(harness.add_athlete(), has_address=False)
    browser.sign_in(runner_id)
    warned = browser.open("/settings/disconnect").text
    browser.post("/settings/disconnect")
    advance_clock(harness, FRESH_SIGN_IN + MOMENT)

    assert "no way back into your account" in warned
    assert browser.open("/email").status_code == 200


@pytest.mark.parametrize("method", [SignInMethod.MAIL, None])
def test_a_link_to_a_new_address_shows_too_little(
    browser: PageClient,
    harness: Harness,
    runtime: Runtime,
    method: SignInMethod | None,
) -> None:
    """A thief who changed the address must not get further with it."""
    runner_id = harness.link_runner(harness.add_athlete())
    harness.advance_clock(days=6, hours=23)
    token = sign_in.sign_in(runtime, runner_id, method=method)
    browser.client.set_cookie("moodmiles", token, domain="127.0.0.1")

    early = browser.open("/settings/disconnect")
    others = browser.post("/settings/sign-ins", others="1")
    harness.advance_clock(hours=2)
    token = sign_in.sign_in(runtime, runner_id, method=method)
    browser.client.set_cookie("moodmiles", token, domain="127.0.0.1")
    late = browser.open("/settings/disconnect")

    assert early.location.startswith(AGAIN)
    assert others.location.startswith("/settings/sign-ins")
    assert late.status_code == 200
