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
from tests.support.harness import ALL_BOXES, Stage
from tests.web.conftest import Browser
from tests.web.consents.test_consents import standing


@pytest.fixture
def with_private(browser: Browser, stage: Stage, runtime: Runtime) -> int:
    """Sign in a runner who lets us see a run of their own, and a public one."""
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=90, visibility="only_me")
    stage.run(athlete, ended_minutes_ago=30)
    runner_id = stage.link(athlete, scope="read,activity:read_all")
    private.agree(runtime, runner_id)
    stage.work()
    browser.sign_in(runner_id)
    return runner_id


def visibilities(runtime: Runtime) -> list[str]:
    with runtime.db.reading() as session:
        return list(session.scalars(select(Run.visibility).order_by(Run.started_at)))


def test_private_runs_are_taken_back_alone_and_at_once(
    browser: Browser, stage: Stage, runtime: Runtime, with_private: int
) -> None:
    before = visibilities(runtime)
    settings = browser.open("/settings").text
    asked = browser.open("/settings/consents/private").text

    browser.post("/settings/consents/private")
    at_once = visibilities(runtime)
    reconcile.drain(runtime)
    stage.work()

    assert 'href="/settings/consents/private" aria-label="Take back: Runs' in settings
    assert "Leave out the runs that only you can see?" in asked
    assert (before, at_once) == (["only_me", "everyone"], ["everyone"])
    assert visibilities(runtime) == ["everyone"]
    assert standing(runtime) == {"strava", "mood", "mail", "adult"}


def test_a_private_run_that_a_worker_stores_just_then_goes_soon(
    browser: Browser, stage: Stage, runtime: Runtime, with_private: int
) -> None:
    with runtime.db.transaction() as session:  # nothing of ours tells it apart
        session.execute(update(Run).values(visibility="everyone"))

    browser.post("/settings/consents/private")
    missed = len(visibilities(runtime))
    for _ in range(2):
        reconcile.drain(runtime)
        stage.pass_time(hours=1)

    assert (missed, len(visibilities(runtime))) == (2, 1)


def test_private_runs_come_again_once_they_are_agreed_to_again(
    browser: Browser, stage: Stage, runtime: Runtime, with_private: int
) -> None:
    browser.post("/settings/consents/private")
    settings = browser.open("/settings").text
    asked = browser.open("/settings/consents/private").text

    given = browser.post("/settings/consents/private/given", private=1)
    reconcile.drain(runtime)

    assert 'href="/settings/consents/private">Include them</a>' in settings
    assert "Include runs that only I can see." in asked
    assert " checked" not in asked
    assert given.location == "/settings?saved=1#consents"
    assert visibilities(runtime) == ["only_me", "everyone"]
    assert "private" in standing(runtime)


def test_private_runs_come_again_when_agreed_to_on_the_way_in(
    stage: Stage, runtime: Runtime, with_private: int
) -> None:
    private.withdraw(runtime, with_private)
    reconcile.drain(runtime)
    stage.pass_time(hours=1)

    [athlete] = stage.world.athletes
    boxes = replace(ALL_BOXES, private=True)
    again = stage.link(athlete, scope=boxes.scope, boxes=boxes)
    reconcile.drain(runtime)

    assert again == with_private
    assert visibilities(runtime) == ["only_me", "everyone"]


def test_private_runs_are_not_agreed_to_by_an_empty_box(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    refused = browser.post("/settings/consents/private/given")

    assert refused.status_code == 400
    assert "The box is still empty." in refused.text
    assert "private" not in standing(runtime)


def test_a_link_that_does_not_show_private_runs_asks_strava_for_them(
    browser: Browser, runner_id: int, stage: Stage, runtime: Runtime
) -> None:
    athlete = stage.world.athletes.get(7)
    assert athlete
    stage.run(athlete, ended_minutes_ago=90, visibility="only_me")
    asked = browser.open("/settings/consents/private").text

    onward = browser.post("/settings/consents/private/given", private=1).location
    state = parse_qs(urlsplit(onward).query)["state"][0]
    scope = "read,activity:read_all"
    with stage.world.change():
        code = grants.give_code(stage.world, athlete.id, scope)
    browser.open(f"/connect/callback?state={state}&code={code}&scope={scope}")
    stage.work()

    assert "Next, Strava asks you too." in asked
    assert "activity%3Aread_all" in onward
    assert "private" in standing(runtime)
    assert "only_me" in visibilities(runtime)


def test_nobody_unlinked_is_asked_about_private_runs(
    browser: Browser, runner_id: int, stage: Stage
) -> None:
    disconnect.disconnect(stage.runtime, runner_id)

    assert browser.open("/settings/consents/private").location == "/connect"
    assert "Include them" not in browser.open("/settings").text
