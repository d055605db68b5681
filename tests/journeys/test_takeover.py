"""A thief with a copied cookie, step by step, against an owner who does not notice.

The thief reads and answers, as long as the cookie lasts.  Everything else asks for a
sign-in that the thief cannot give, and the owner keeps every way in.
"""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from sync.models import Connection, Export, Runner, SignIn
from sync.runners import sign_in
from sync.runtime import Runtime
from sync.simulator import grants
from sync.vocabulary import SignInMethod
from tests.support.forgery import CONSENT_FIELDS
from tests.support.harness import SCOPE, Harness
from tests.support.html_forms import HtmlForm, read_forms
from tests.support.outbox_reader import list_recipients, read_pending_token
from tests.web.conftest import PageClient
from web.app import create_app
from web.http.csrf import FIELD_NAME

OWNER, THIEF = "runner1@example.org", "thief@example.org"
OWN_ATHLETE, THIEFS_ATHLETE = 7, 8
# Everything that pages offer and that ends, gives out or hands over an account.
PAGES = (
    "/email",
    "/settings/export",
    "/settings/disconnect",
    "/settings/delete",
    "/settings/sign-ins",
    "/settings/consents/mood",
    "/settings/consents/mail",
    "/settings/consents/private",
    "/connect",
)


@pytest.fixture
def owner(harness: Harness, runtime: Runtime) -> PageClient:
    """Sign an owner in on a laptop, a week after they came."""
    athlete = harness.add_athlete(OWN_ATHLETE)
    harness.finish_run(athlete, ended_minutes_ago=60 * 24 * 10)
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(days=8)
    run = harness.finish_run(athlete, ended_minutes_ago=30)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    browser = PageClient(create_app(runtime).test_client(), runtime)
    browser.sign_in(runner_id)
    sign_in.sign_in(runtime, runner_id, method=SignInMethod.STRAVA, browser="Phone")
    harness.advance_clock(hours=1)
    return browser


@pytest.fixture
def thief(owner: PageClient, harness: Harness, runtime: Runtime) -> PageClient:
    """Copy every cookie of the owner's laptop into another browser."""
    harness.add_athlete(THIEFS_ATHLETE)
    browser = PageClient(create_app(runtime).test_client(), runtime)
    for name in ("moodmiles", "moodmiles-browser"):
        cookie = owner.client.get_cookie(name, domain="127.0.0.1")
        if cookie:
            browser.client.set_cookie(name, cookie.value, domain="127.0.0.1")
    return browser


def send(client: FlaskClient, form: HtmlForm, csrf: str, **fields: str) -> str:
    """Send a form of a page; return where it leads, or what it says."""
    answer = client.open(
        form.path, method=form.method, data={**form.fields, **fields, FIELD_NAME: csrf}
    )
    return answer.location or answer.text


def read_account(runtime: Runtime) -> dict[str, object]:
    """Return the ways in, what is under way, and whom we wrote to."""
    with runtime.db.read_only() as session:
        runner = session.get_one(Runner, 1)
        count = {
            table.__name__: session.scalar(select(func.count()).select_from(table))
            for table in (Connection, Export, SignIn, Runner)
        }
        return count | {
            "address": runner.email_hash,
            "athlete": runner.athlete_id,
            "erase_at": runner.erase_at,
            "leaving": runner.leaving_for,
            "preferences": runner.preferences.to_stored(),
        }


def visit_strava(browser: PageClient, harness: Harness, athlete_id: int) -> str:
    """Sign in at Strava as this athlete; return where that leads."""
    left = browser.post("/connect/again")
    state = parse_qs(urlsplit(left.location).query)["state"][0]
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete_id, SCOPE)
    answer = browser.open(f"/connect/callback?state={state}&code={code}&scope={SCOPE}")
    return answer.location or answer.text


def begin_link(browser: PageClient) -> str:
    """Go to Strava to link it; return the state with which one comes back."""
    left = browser.post("/connect", **CONSENT_FIELDS)
    return parse_qs(urlsplit(left.location).query)["state"][0]


def finish_link(
    browser: PageClient, harness: Harness, state: str, athlete_id: int
) -> TestResponse:
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete_id, SCOPE)
    return browser.open(f"/connect/callback?state={state}&code={code}&scope={SCOPE}")


def copy_fresh_cookie(owner: PageClient, thief: PageClient, harness: Harness) -> None:
    """Let the owner sign in again, and the thief copy that cookie at once."""
    visit_strava(owner, harness, OWN_ATHLETE)
    fresh = owner.client.get_cookie("moodmiles", domain="127.0.0.1")
    assert fresh
    thief.client.set_cookie("moodmiles", fresh.value, domain="127.0.0.1")


def read_athlete(runtime: Runtime) -> int | None:
    with runtime.db.read_only() as session:
        return session.get_one(Runner, 1).athlete_id


def test_a_copied_cookie_reads_and_answers(thief: PageClient) -> None:
    for path in ("/dashboard", "/dashboard/data.json", "/settings", "/settings/export"):
        assert thief.open(path).status_code == 200
    page = thief.open("/dashboard").text
    answering = [
        form for form in read_forms(page, "/dashboard") if "answer" in form.path
    ]
    assert answering


def test_a_copied_cookie_changes_no_way_in_and_takes_nothing_out(
    thief: PageClient, runtime: Runtime
) -> None:
    before = read_account(runtime)

    for path in PAGES:
        page = thief.client.get(path, follow_redirects=True)
        forms = read_forms(page.text, path)
        for form in forms:
            if form.path in {"/logout", "/connect/again", "/login/again"}:
                continue
            send(thief.client, form, thief.get_csrf_token(), email=THIEF)
        thief.post(path, email=THIEF, others="1", private="1", **CONSENT_FIELDS)
    fetched = thief.open("/settings/export/moodmiles.zip")

    assert fetched.status_code == 303
    assert read_account(runtime) == before
    assert list_recipients(runtime, "confirm_address") == []


def test_the_thief_cannot_give_the_sign_in_that_is_asked_for(
    thief: PageClient, owner: PageClient, harness: Harness, runtime: Runtime
) -> None:
    before = read_account(runtime)
    thief.open("/email")

    # By mail it goes to the owner, who sees that somebody asked.
    thief.post("/login/again")
    link = read_pending_token(runtime, "sign_in_link")
    assert list_recipients(runtime, "sign_in_link") == [None]
    # By an address of the thief's own there is no account.
    thief.post("/login", email=THIEF)
    # By a Strava account that is not the owner's, nothing of the owner's is open.
    led = visit_strava(thief, harness, THIEFS_ATHLETE)

    assert led.startswith("/connect?new=1")
    assert thief.open("/settings/delete").status_code == 303
    assert read_account(runtime) == before
    assert owner.open("/dashboard").status_code == 200
    assert link


def test_a_thief_with_an_account_ends_up_in_their_own(
    thief: PageClient, harness: Harness
) -> None:
    athlete = harness.world.athletes.get(THIEFS_ATHLETE)
    assert athlete
    harness.link_runner(athlete)
    thief.open("/settings/delete")

    led = visit_strava(thief, harness, THIEFS_ATHLETE)

    assert led == "/login/switched"
    assert OWNER not in thief.open("/settings").text


def test_the_owner_throws_the_thief_out_and_keeps_every_way_in(
    thief: PageClient, owner: PageClient, harness: Harness, runtime: Runtime
) -> None:
    owner.post("/settings/sign-ins", others="1")
    led = visit_strava(owner, harness, OWN_ATHLETE)
    owner.post(led, others="1")

    assert led == "/settings/sign-ins"
    assert thief.open("/dashboard").status_code == 302
    assert owner.open("/dashboard").status_code == 200
    owner.post("/logout")
    owner.post("/login", email=OWNER)
    answer = owner.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")
    assert answer.status_code == 303
    assert owner.open("/settings").status_code == 200


def test_a_cookie_stolen_within_ten_minutes_is_undone_by_the_former_address(
    thief: PageClient, owner: PageClient, harness: Harness, runtime: Runtime
) -> None:
    """The worst case: the thief was there while the owner's sign-in was fresh."""
    copy_fresh_cookie(owner, thief, harness)

    thief.post("/email", email=THIEF)
    confirmation = read_pending_token(runtime, "confirm_address")
    assert "Confirmed." in thief.post(f"/email/confirm/{confirmation}").text
    thief.post("/settings/sign-ins", others="1")
    thief.post("/settings/disconnect")
    thief.post("/settings/delete")
    harness.advance_clock(days=3)

    # The owner is told three times, and one tap is enough, from any browser.
    assert OWNER in list_recipients(runtime, "address_changed")
    assert OWNER in list_recipients(runtime, "disconnected")
    assert OWNER in list_recipients(runtime, "undo")
    undo = read_pending_token(runtime, "address_changed")
    stranger = PageClient(create_app(runtime).test_client(), runtime)
    assert "The address is back." in stranger.post(f"/address/undo/{undo}").text

    assert thief.open("/dashboard").status_code == 302
    stranger.post("/login", email=OWNER)
    stranger.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")
    assert OWNER in stranger.open("/settings").text
    assert stranger.open("/settings/delete").status_code == 200
    with runtime.db.read_only() as session:
        assert session.get_one(Runner, 1).erase_at is None


@pytest.mark.parametrize(
    "new_ways",
    [["strava"], ["strava", "address"], ["address", "strava"], ["strava", "consent"]],
)
def test_a_thiefs_strava_goes_with_whatever_undoes_the_change(
    thief: PageClient,
    owner: PageClient,
    harness: Harness,
    runtime: Runtime,
    new_ways: list[str],
) -> None:
    copy_fresh_cookie(owner, thief, harness)
    for way in new_ways:
        if way == "strava":
            thief.post("/settings/disconnect")
            finish_link(thief, harness, begin_link(thief), THIEFS_ATHLETE)
        elif way == "consent":
            thief.post("/settings/consents/mail")
        else:
            thief.post("/email", email=THIEF)
            confirmation = read_pending_token(runtime, "confirm_address")
            thief.post(f"/email/confirm/{confirmation}")
    thief.post("/settings/sign-ins", others="1")
    thief.post("/settings/delete")
    assert read_athlete(runtime) == THIEFS_ATHLETE
    harness.advance_clock(days=3)

    kind = "address_changed" if "address" in new_ways else "strava_linked"
    stranger = PageClient(create_app(runtime).test_client(), runtime)
    undone = stranger.post(f"/address/undo/{read_pending_token(runtime, kind)}")

    assert undone.status_code == 200
    assert OWNER in list_recipients(runtime, "strava_linked")
    assert read_athlete(runtime) is None
    assert THIEFS_ATHLETE not in harness.world.grants
    assert visit_strava(thief, harness, THIEFS_ATHLETE).startswith("/connect?new=1")
    # The owner can do everything again, at once.
    stranger.post("/login", email=OWNER)
    stranger.post(f"/login/{read_pending_token(runtime, 'sign_in_link')}")
    assert OWNER in stranger.open("/settings").text
    assert stranger.open("/settings/delete").status_code == 200


def test_who_linked_strava_is_told_and_deletes_at_once_no_more(
    owner: PageClient, harness: Harness, runtime: Runtime
) -> None:
    """Coming back by a link that stands tells nobody; a new one can be undone."""
    visit_strava(owner, harness, OWN_ATHLETE)
    assert list_recipients(runtime, "strava_linked") == []
    owner.post("/settings/disconnect")
    finish_link(owner, harness, begin_link(owner), OWN_ATHLETE)

    owner.post("/settings/delete")

    assert list_recipients(runtime, "strava_linked") == [OWNER]
    with runtime.db.read_only() as session:
        erase_at = session.get_one(Runner, 1).erase_at
    assert erase_at
    assert erase_at - runtime.now() > timedelta(days=6)


def test_a_visit_of_a_stale_cookie_links_nothing_once_strava_is_off(
    thief: PageClient, harness: Harness, runtime: Runtime
) -> None:
    """The owner disconnects, on another browser, while the thief is at Strava."""
    state = begin_link(thief)
    phone = PageClient(create_app(runtime).test_client(), runtime)
    visit_strava(phone, harness, OWN_ATHLETE)
    assert phone.post("/settings/disconnect").status_code == 200

    answer = finish_link(thief, harness, state, THIEFS_ATHLETE)

    assert answer.status_code == 400
    assert read_athlete(runtime) is None
    # What Strava granted meanwhile takes none of the app's places.
    assert harness.world.grants.get(THIEFS_ATHLETE) is None
