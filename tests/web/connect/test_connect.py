"""Linking Strava: every way that it can end has a page that says so."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync.models import Backfill, Connection, Consent, Runner
from sync.runtime import Runtime
from sync.simulator import grants
from sync.simulator.records import App, Fault
from tests.support.harness import SCOPE, Stage
from tests.web.conftest import Browser
from web.app import create_app

BOXES = {"strava": "1", "mood": "1", "adult": "1"}


def go_to_strava(browser: Browser, **more: str) -> str:
    """Tick the boxes and return the state that Strava will send back."""
    answer = browser.post("/connect", **BOXES, **more)
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def code_for(stage: Stage, *, scope: str = SCOPE, athlete_id: int = 7) -> str:
    stage.athlete(athlete_id)
    with stage.world.change():
        return grants.give_code(stage.world, athlete_id, scope)


def callback(state: str, code: str, scope: str = SCOPE) -> str:
    return f"/connect/callback?state={state}&code={code}&scope={scope}"


def test_the_consent_page_ticks_nothing_beforehand(browser: Browser) -> None:
    page = browser.open("/connect").text

    assert page.count('type="checkbox"') == 5
    assert "checked" not in page


@pytest.mark.parametrize("missing", BOXES)
def test_without_a_needed_box_nothing_goes_on(browser: Browser, missing: str) -> None:
    fields = {name: "1" for name in BOXES if name != missing}

    answer = browser.post("/connect", **fields)

    assert answer.status_code == 400
    assert "A box is still empty." in answer.text
    assert answer.text.count(" checked") == len(fields)


def test_private_runs_are_asked_for_only_on_request(browser: Browser) -> None:
    plain = browser.post("/connect", **BOXES).location
    private = browser.post("/connect", **BOXES, private="1").location

    assert "activity:read_all" not in plain.replace("%3A", ":")
    assert "activity:read_all" in private.replace("%3A", ":")


def test_a_runner_comes_back_signed_in(browser: Browser, stage: Stage) -> None:
    state = go_to_strava(browser)

    answer = browser.open(callback(state, code_for(stage)))

    assert answer.location == "/email"
    assert browser.open("/dashboard").status_code == 200


def sign_in_at_strava(browser: Browser) -> str:
    """Use the sign-in page's button; return the state that Strava will send back."""
    answer = browser.post("/connect/again")
    return parse_qs(urlsplit(answer.location).query)["state"][0]


def test_a_linked_runner_signs_in_without_the_boxes(
    browser: Browser, stage: Stage
) -> None:
    runner_id = stage.link(stage.athlete())
    stage.work()

    back = browser.open(callback(sign_in_at_strava(browser), code_for(stage)))

    assert back.location == "/dashboard"
    assert browser.open("/dashboard").status_code == 200
    with stage.runtime.db.reading() as session:
        connection = session.get_one(Connection, runner_id)
        backfill = session.get_one(Backfill, runner_id)
        consents = session.scalars(select(Consent.kind)).all()
    grant = stage.world.grants.get(7)
    assert grant
    kept = stage.runtime.sealer.open(connection.refresh_token)
    assert kept == grant.refresh_token
    assert backfill.finished_at is not None
    assert len(consents) == len(set(consents)) == 4


def test_a_stranger_who_signs_in_is_shown_the_boxes(
    browser: Browser, stage: Stage
) -> None:
    back = browser.open(callback(sign_in_at_strava(browser), code_for(stage)))
    boxes = browser.open(back.location).text

    assert back.location == "/connect?new=1"
    assert "You are new here." in boxes
    assert not stage.world.grants
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Runner)).all() == []


def test_signing_in_never_narrows_what_the_runner_lets_us_see(
    browser: Browser, stage: Stage
) -> None:
    wide = "read,activity:read,activity:read_all"
    state = go_to_strava(browser, private="1")
    browser.open(callback(state, code_for(stage, scope=wide), wide))
    browser.post("/logout")

    first = browser.open(callback(sign_in_at_strava(browser), code_for(stage)))
    asked = parse_qs(urlsplit(first.location).query)
    code = code_for(stage, scope=wide)
    browser.open(callback(asked["state"][0], code, wide))

    assert "activity:read_all" in asked["scope"][0]
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Connection.scope)).all() == [wide]


def test_saying_no_at_strava_is_respected(browser: Browser) -> None:
    state = go_to_strava(browser)

    answer = browser.open(f"/connect/callback?error=access_denied&state={state}")

    assert answer.status_code == 200
    assert "Nothing was connected." in answer.text


def test_an_unticked_permission_is_explained_and_given_back(
    browser: Browser, stage: Stage
) -> None:
    state = go_to_strava(browser)
    code = code_for(stage, scope="read")

    answer = browser.open(callback(state, code, "read"))

    assert answer.status_code == 403
    assert "We can’t see your runs." in answer.text
    assert "/connect" in answer.text
    assert browser.open("/dashboard").status_code == 302


def test_a_state_works_once(browser: Browser, stage: Stage) -> None:
    state = go_to_strava(browser)
    browser.open(callback(state, code_for(stage)))

    again = browser.open(callback(state, code_for(stage)))

    assert again.status_code == 400
    assert "This visit to Strava is over." in again.text


@pytest.mark.parametrize(
    "query", ["", "?state=x&code=y", "?code=y", "?state=x", "?error=access_denied"]
)
def test_an_invented_return_is_refused(browser: Browser, query: str) -> None:
    answer = browser.open(f"/connect/callback{query}")

    assert answer.status_code == 400
    assert "This visit to Strava is over." in answer.text


def test_a_state_of_another_browser_is_refused(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    state = go_to_strava(browser)
    thief = Browser(create_app(runtime).test_client(), runtime)

    answer = thief.open(callback(state, code_for(stage)))

    assert answer.status_code == 400


def test_a_used_code_is_explained(browser: Browser, stage: Stage) -> None:
    code = code_for(stage)
    browser.open(callback(go_to_strava(browser), code))

    answer = browser.open(callback(go_to_strava(browser), code))

    assert answer.status_code == 400
    assert "Strava’s code no longer works." in answer.text


def test_another_runners_strava_is_not_taken_over(
    browser: Browser, stage: Stage
) -> None:
    browser.open(callback(go_to_strava(browser), code_for(stage)))
    state = go_to_strava(browser)

    answer = browser.open(callback(state, code_for(stage, athlete_id=8)))

    assert answer.status_code == 409
    assert "different runner" in answer.text


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(id=1, kind="status", status=503, on="token"), "isn’t answering"),
        (Fault(id=1, kind="html", on="token"), "isn’t answering"),
        (Fault(id=1, kind="status", status=403, on="token"), "switched this app off"),
    ],
)
def test_a_strava_that_fails_is_explained(
    browser: Browser, stage: Stage, fault: Fault, says: str
) -> None:
    state, code = go_to_strava(browser), code_for(stage)
    with stage.world.change():
        stage.world.faults.put(fault)

    answer = browser.open(callback(state, code))

    assert answer.status_code == 503
    assert says in answer.text


def test_a_full_app_is_explained(browser: Browser, stage: Stage) -> None:
    state, code = go_to_strava(browser), code_for(stage)
    with stage.world.change():
        stage.world.set(App(client_secret="simulated", athlete_limit=0))

    answer = browser.open(callback(state, code))

    assert answer.status_code == 503
    assert "All places are taken." in answer.text
