"""The browsers a runner is signed in with: listed, ended, and over in time."""

import re

import pytest
from sqlalchemy import select

from sync.crypto import hash_token
from sync.models import Runner, SignIn
from sync.runners import sign_in
from sync.runtime import Runtime
from sync.vocabulary import SignInMethod
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient
from web.app import create_app
from web.http import session as web_session
from web.http.browsers import browser_name

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)


def sign_in_elsewhere(
    runtime: Runtime, runner_id: int, name: str = "Safari on iPhone"
) -> str:
    """Sign the runner in with one more browser; return its cookie."""
    return sign_in.sign_in(runtime, runner_id, browser=name)


def list_handles(page: str) -> list[str]:
    return re.findall(r'name="browser" value="(\w+)"', page)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("curl/8.14", None),
        ("<script> Firefox/1", "Firefox"),
        ("", None),
    ],
)
def test_a_browser_is_called_what_its_runner_calls_it(
    user_agent: str, name: str | None
) -> None:
    assert browser_name(user_agent) == name


def test_every_browser_is_listed_and_only_one_is_this(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    token = sign_in_elsewhere(runtime, runner_id)

    page = browser.open("/settings/sign-ins").text

    assert page.count("This browser") == 1
    assert "Safari on iPhone" in page
    assert "Unknown browser" in page
    assert token not in page
    assert hash_token(token) not in page


def test_signing_in_notes_the_browsers_name(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    app = create_app(runtime)
    with app.test_request_context(headers={"User-Agent": FIREFOX}):
        web_session.login(
            runner_id, method=SignInMethod.STRAVA, default_path="/dashboard"
        )

    assert "Firefox on Linux" in browser.open("/settings/sign-ins").text


def test_one_browser_is_signed_out_and_the_others_stay(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    lost, kept = (
        sign_in_elsewhere(runtime, runner_id),
        sign_in_elsewhere(runtime, runner_id, "Opera"),
    )
    page = browser.open("/settings/sign-ins").text
    at = page.index("Safari on iPhone")

    answer = browser.post("/settings/sign-ins", browser=list_handles(page[at:])[0])

    assert answer.status_code == 303
    assert sign_in.find_signed_in(runtime, lost) is None
    assert sign_in.find_signed_in(runtime, kept) is not None
    assert browser.open("/settings").status_code == 200


def test_every_other_browser_is_signed_out_at_once(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    others = [sign_in_elsewhere(runtime, runner_id) for _ in range(3)]

    browser.post("/settings/sign-ins", others="1")

    assert [sign_in.find_signed_in(runtime, token) for token in others] == [None] * 3
    assert browser.open("/settings").status_code == 200


def test_nobody_signs_out_another_runners_browser(
    browser: PageClient, harness: Harness, runner_id: int, runtime: Runtime
) -> None:
    other = harness.link_runner(harness.add_athlete(8))
    token = sign_in_elsewhere(runtime, other)
    browser.sign_in(other)
    sign_in_elsewhere(runtime, other)
    listed = list_handles(browser.open("/settings/sign-ins").text)
    browser.sign_in(runner_id)

    for handle in listed:
        browser.post("/settings/sign-ins", browser=handle)
    browser.post("/settings/sign-ins", browser=hash_token(token))
    browser.post("/settings/sign-ins", others="1")

    with runtime.db.read_only() as session:
        left = session.scalars(select(SignIn).where(SignIn.runner_id == other)).all()
    assert len(listed) == 2
    assert len(left) == 3


@pytest.mark.parametrize(
    ("visits_every_days", "lasts_days"), [(20, 90), (31, 30), (29, 90)]
)
def test_a_sign_in_ends_when_idle_and_in_any_case(
    harness: Harness, runtime: Runtime, visits_every_days: int, lasts_days: int
) -> None:
    token = sign_in.sign_in(runtime, harness.link_runner(harness.add_athlete()))
    began_at = harness.clock()

    seen_last = began_at
    for _ in range(10):
        harness.advance_clock(days=visits_every_days)
        if sign_in.find_signed_in(runtime, token) is None:
            break
        seen_last = harness.clock()

    assert sign_in.find_signed_in(runtime, token) is None
    assert (seen_last - began_at).days < lasts_days


def test_signing_in_again_makes_a_new_session_and_ends_the_old(
    browser: PageClient, harness: Harness, runner_id: int, runtime: Runtime
) -> None:
    old = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    assert old
    browser.post("/login", email=f"runner{runner_id}@example.org")
    browser.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")

    new = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    assert new
    assert new.value != old.value
    assert sign_in.find_signed_in(runtime, old.value) is None
    assert sign_in.find_signed_in(runtime, new.value) is not None


def test_a_visit_is_noted_once_a_day(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    began_at = harness.clock()

    harness.advance_clock(hours=20)
    browser.open("/settings")
    same_day = _active_at(runtime, runner_id)
    harness.advance_clock(hours=20)
    browser.open("/settings")

    assert same_day == began_at
    assert _active_at(runtime, runner_id) == harness.clock()


def _active_at(runtime: Runtime, runner_id: int) -> object:
    with runtime.db.read_only() as session:
        return session.get_one(Runner, runner_id).active_at
