"""Linking Strava: every way that it can end has a page that says so."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync.models import Backfill, Connection, Consent, Runner
from sync.runtime import Runtime
from sync.simulator import grants
from sync.simulator.records import App, SimulatedFault
from sync.vocabulary import SealedColumn
from tests.support.harness import SCOPE, Harness
from tests.web.conftest import PageClient
from web.app import create_app

BOXES = {"strava": "1", "mood": "1", "adult": "1"}


def open_strava_consent(browser: PageClient, **more: str) -> str:
    """Tick the boxes and return the state that Strava will send back."""
    answer = browser.post("/connect", **BOXES, **more)
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def give_code(harness: Harness, *, scope: str = SCOPE, athlete_id: int = 7) -> str:
    harness.add_athlete(athlete_id)
    with harness.world.transaction():
        return grants.issue_code(harness.world, athlete_id, scope)


def build_callback_url(state: str, code: str, scope: str = SCOPE) -> str:
    return f"/connect/callback?state={state}&code={code}&scope={scope}"


def test_the_consent_page_ticks_nothing_beforehand(browser: PageClient) -> None:
    page = browser.open("/connect").text

    assert page.count('type="checkbox"') == 5
    assert "checked" not in page


@pytest.mark.parametrize("missing", BOXES)
def test_without_a_needed_box_nothing_goes_on(
    browser: PageClient, missing: str
) -> None:
    fields = {name: "1" for name in BOXES if name != missing}

    answer = browser.post("/connect", **fields)

    assert answer.status_code == 400
    assert "A box is still empty." in answer.text
    assert answer.text.count(" checked") == len(fields)


def test_private_runs_are_asked_for_only_on_request(browser: PageClient) -> None:
    plain = browser.post("/connect", **BOXES).location
    private = browser.post("/connect", **BOXES, private="1").location

    assert "activity:read_all" not in plain.replace("%3A", ":")
    assert "activity:read_all" in private.replace("%3A", ":")


def test_a_runner_comes_back_signed_in(browser: PageClient, harness: Harness) -> None:
    state = open_strava_consent(browser)

    answer = browser.open(build_callback_url(state, give_code(harness)))

    assert answer.location == "/email"
    assert browser.open("/dashboard").status_code == 200


def sign_in_at_strava(browser: PageClient) -> str:
    """Use the sign-in page's button; return the state that Strava will send back."""
    answer = browser.post("/connect/again")
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def test_a_linked_runner_signs_in_without_the_boxes(
    browser: PageClient, harness: Harness
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.process_all_due()

    back = browser.open(
        build_callback_url(sign_in_at_strava(browser), give_code(harness))
    )

    assert back.location == "/dashboard"
    assert browser.open("/dashboard").status_code == 200
    with harness.runtime.db.read_only() as session:
        connection = session.get_one(Connection, runner_id)
        backfill = session.get_one(Backfill, runner_id)
        consents = session.scalars(select(Consent.kind)).all()
    grant = harness.world.grants.get(7)
    assert grant
    kept = harness.runtime.sealer.open(
        connection.refresh_token, SealedColumn.STRAVA_REFRESH
    )
    assert kept == grant.refresh_token
    assert backfill.finished_at is not None
    assert len(consents) == len(set(consents)) == 4


def test_a_stranger_who_signs_in_is_shown_the_boxes(
    browser: PageClient, harness: Harness
) -> None:
    back = browser.open(
        build_callback_url(sign_in_at_strava(browser), give_code(harness))
    )
    boxes = browser.open(back.location).text

    assert back.location == "/connect?new=1"
    assert "You are new here." in boxes
    assert not harness.world.grants
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Runner)).all() == []


def test_signing_in_never_narrows_what_the_runner_lets_us_see(
    browser: PageClient, harness: Harness
) -> None:
    wide = "read,activity:read,activity:read_all"
    state = open_strava_consent(browser, private="1")
    browser.open(build_callback_url(state, give_code(harness, scope=wide), wide))
    browser.post("/logout")

    first = browser.open(
        build_callback_url(sign_in_at_strava(browser), give_code(harness))
    )
    asked = parse_qs(urlsplit(first.location).query)
    code = give_code(harness, scope=wide)
    browser.open(build_callback_url(asked["state"][0], code, wide))

    assert "activity:read_all" in asked["scope"][0]
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Connection.scope)).all() == [wide]


def test_saying_no_at_strava_is_respected(browser: PageClient) -> None:
    state = open_strava_consent(browser)

    answer = browser.open(f"/connect/callback?error=access_denied&state={state}")

    assert answer.status_code == 200
    assert "Nothing was connected." in answer.text


def test_an_unticked_permission_is_explained_and_given_back(
    browser: PageClient, harness: Harness
) -> None:
    state = open_strava_consent(browser)
    code = give_code(harness, scope="read")

    answer = browser.open(build_callback_url(state, code, "read"))

    assert answer.status_code == 403
    assert "We can’t see your runs." in answer.text
    assert "/connect" in answer.text
    assert browser.open("/dashboard").status_code == 302


def test_a_state_works_once(browser: PageClient, harness: Harness) -> None:
    state = open_strava_consent(browser)
    browser.open(build_callback_url(state, give_code(harness)))

    again = browser.open(build_callback_url(state, give_code(harness)))

    assert again.status_code == 400
    assert "This visit to Strava is over." in again.text


@pytest.mark.parametrize(
    "query", ["", "?state=x&code=y", "?code=y", "?state=x", "?error=access_denied"]
)
def test_an_invented_return_is_refused(browser: PageClient, query: str) -> None:
    answer = browser.open(f"/connect/callback{query}")

    assert answer.status_code == 400
    assert "This visit to Strava is over." in answer.text


def test_a_state_of_another_browser_is_refused(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    state = open_strava_consent(browser)
    thief = PageClient(create_app(runtime).test_client(), runtime)

    answer = thief.open(build_callback_url(state, give_code(harness)))

    assert answer.status_code == 400


def test_a_used_code_is_explained(browser: PageClient, harness: Harness) -> None:
    code = give_code(harness)
    browser.open(build_callback_url(open_strava_consent(browser), code))

    answer = browser.open(build_callback_url(open_strava_consent(browser), code))

    assert answer.status_code == 400
    assert "Strava’s code no longer works." in answer.text


def test_another_runners_strava_is_not_taken_over(
    browser: PageClient, harness: Harness
) -> None:
    browser.open(build_callback_url(open_strava_consent(browser), give_code(harness)))
    state = open_strava_consent(browser)

    answer = browser.open(build_callback_url(state, give_code(harness, athlete_id=8)))

    assert answer.status_code == 409
    assert "different runner" in answer.text


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (
            SimulatedFault(id=1, kind="status", status=503, on="token"),
            "isn’t answering",
        ),
        (SimulatedFault(id=1, kind="html", on="token"), "isn’t answering"),
        (
            SimulatedFault(id=1, kind="status", status=403, on="token"),
            "switched this app off",
        ),
    ],
)
def test_a_strava_that_fails_is_explained(
    browser: PageClient, harness: Harness, fault: SimulatedFault, says: str
) -> None:
    state, code = open_strava_consent(browser), give_code(harness)
    with harness.world.transaction():
        harness.world.faults.put(fault)

    answer = browser.open(build_callback_url(state, code))

    assert answer.status_code == 503
    assert says in answer.text


def test_a_full_app_is_explained(browser: PageClient, harness: Harness) -> None:
    state, code = open_strava_consent(browser), give_code(harness)
    with harness.world.transaction():
        harness.world.put_singleton(App(client_secret="simulated", athlete_limit=0))

    answer = browser.open(build_callback_url(state, code))

    assert answer.status_code == 503
    assert "All places are taken." in answer.text
