"""Runs that only their runner can see: left out and included again by themselves."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from sync.models import Run
from sync.runners import disconnect
from sync.runs import private, reconcile
from sync.runtime import Runtime
from sync.simulator import grants
from tests.support.harness import ALL_CONSENTS, Harness
from tests.web.conftest import PageClient
from tests.web.consents.test_consents import list_standing_consents


@pytest.fixture
def runner_with_private_run(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> int:
    """Sign in a runner who lets us see a run of their own, and a public one."""
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=90, visibility="only_me")
    harness.finish_run(athlete, ended_minutes_ago=30)
    runner_id = harness.link_runner(athlete, scope="read,activity:read_all")
    private.grant_consent(runtime, runner_id)
    harness.process_all_due()
    browser.sign_in(runner_id)
    return runner_id


def list_visibilities(runtime: Runtime) -> list[str]:
    with runtime.db.read_only() as session:
        return list(session.scalars(select(Run.visibility).order_by(Run.started_at)))


def test_private_runs_are_taken_back_alone_and_at_once(
    browser: PageClient,
    harness: Harness,
    runtime: Runtime,
    runner_with_private_run: int,
) -> None:
    before = list_visibilities(runtime)
    settings = browser.open("/settings").text
    asked = browser.open("/settings/consents/private").text

    browser.post("/settings/consents/private")
    at_once = list_visibilities(runtime)
    reconcile.process_due(runtime)
    harness.process_all_due()

    assert 'href="/settings/consents/private" aria-label="Take back: Runs' in settings
    assert "Leave out the runs that only you can see?" in asked
    assert (before, at_once) == (["only_me", "everyone"], ["everyone"])
    assert list_visibilities(runtime) == ["everyone"]
    assert list_standing_consents(runtime) == {"strava", "mood", "mail", "adult"}


def test_a_private_run_that_a_worker_stores_just_then_goes_soon(
    browser: PageClient,
    harness: Harness,
    runtime: Runtime,
    runner_with_private_run: int,
) -> None:
    with runtime.db.transaction() as session:  # nothing of ours tells it apart
        session.execute(update(Run).values(visibility="everyone"))

    browser.post("/settings/consents/private")
    missed = len(list_visibilities(runtime))
    for _ in range(2):
        reconcile.process_due(runtime)
        harness.advance_clock(hours=1)

    assert (missed, len(list_visibilities(runtime))) == (2, 1)


def test_private_runs_come_again_once_they_are_agreed_to_again(
    browser: PageClient,
    harness: Harness,
    runtime: Runtime,
    runner_with_private_run: int,
) -> None:
    browser.post("/settings/consents/private")
    settings = browser.open("/settings").text
    asked = browser.open("/settings/consents/private").text

    given = browser.post("/settings/consents/private/given", private=1)
    reconcile.process_due(runtime)

    assert 'href="/settings/consents/private">Include them</a>' in settings
    assert "Include runs that only I can see." in asked
    assert " checked" not in asked
    assert given.location == "/settings?saved=1#consents"
    assert list_visibilities(runtime) == ["only_me", "everyone"]
    assert "private" in list_standing_consents(runtime)


def test_private_runs_come_again_when_agreed_to_on_the_way_in(
    harness: Harness, runtime: Runtime, runner_with_private_run: int
) -> None:
    private.withdraw_consent(runtime, runner_with_private_run)
    reconcile.process_due(runtime)
    harness.advance_clock(hours=1)

    [athlete] = harness.world.athletes
    boxes = replace(ALL_CONSENTS, private=True)
    again = harness.link_runner(athlete, scope=boxes.scope, consents=boxes)
    reconcile.process_due(runtime)

    assert again == runner_with_private_run
    assert list_visibilities(runtime) == ["only_me", "everyone"]


def test_private_runs_are_not_agreed_to_by_an_empty_box(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    refused = browser.post("/settings/consents/private/given")

    assert refused.status_code == 400
    assert "The box is still empty." in refused.text
    assert "private" not in list_standing_consents(runtime)


def test_a_link_that_does_not_show_private_runs_asks_strava_for_them(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete
    harness.finish_run(athlete, ended_minutes_ago=90, visibility="only_me")
    asked = browser.open("/settings/consents/private").text

    onward = browser.post("/settings/consents/private/given", private=1).location
    state = parse_qs(urlsplit(onward).query)["state"][0]
    scope = "read,activity:read_all"
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete.id, scope)
    browser.open(f"/connect/callback?state={state}&code={code}&scope={scope}")
    harness.process_all_due()

    assert "Next, Strava asks you too." in asked
    assert "activity%3Aread_all" in onward
    assert "private" in list_standing_consents(runtime)
    assert "only_me" in list_visibilities(runtime)


def test_nobody_unlinked_is_asked_about_private_runs(
    browser: PageClient, runner_id: int, harness: Harness
) -> None:
    disconnect.disconnect(harness.runtime, runner_id)

    assert browser.open("/settings/consents/private").location == "/connect"
    assert "Include them" not in browser.open("/settings").text
