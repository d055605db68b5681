"""The way to Strava, tried on a small Strava behind a real socket."""

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sync.errors import (
    AccessRevoked,
    AppFull,
    AppInactive,
    CodeRefused,
    MoodmilesError,
    NotConfigured,
    NotOnStrava,
    RateLimited,
    RefusedByStrava,
    ScopeMissing,
    StravaUnavailable,
)
from sync.settings import Settings
from sync.simulator import grants
from sync.simulator.life import NewRun, finish
from sync.simulator.records import App, Athlete, Fault, Limits
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava import SCOPE, Grant, Lane, NotARun, RemoteRun
from sync.strava.client import HttpStrava

ATHLETE = Athlete(id=7, firstname="A", lastname="B", zone="Asia/Tokyo", created_s=0)


@pytest.fixture
def world() -> World:
    world = World()
    with world.change():
        world.athletes.put(ATHLETE)
    return world


@pytest.fixture
def site(world: World) -> Generator[str]:
    with serve_in_thread(world) as url:
        yield url


def strava_at(site: str, **settings: Any) -> HttpStrava:
    known: dict[str, Any] = {
        "strava_client_id": 1,
        "strava_client_secret": "simulated",
        "strava_site_url": site,
        "strava_api_url": f"{site}/api/v3",
    }
    return HttpStrava(Settings(**(known | settings)))


@pytest.fixture
def strava(site: str) -> HttpStrava:
    return strava_at(site)


def code(world: World, scope: str = SCOPE) -> str:
    with world.change():
        return grants.give_code(world, ATHLETE.id, scope)


@pytest.fixture
def grant(world: World, strava: HttpStrava) -> Grant:
    return strava.exchange(code(world))


def ran(world: World, **run: Any) -> int:
    with world.change():
        return finish(world, ATHLETE, NewRun(**run)).id


def fails(world: World, kind: Any, **fault: Any) -> None:
    with world.change():
        world.faults.put(Fault(id=1, kind=kind, **fault))


def test_the_consent_page_is_asked_for_what_we_need(strava: HttpStrava) -> None:
    url = strava.consent_url(
        state="s&t", redirect_uri="http://localhost/back", scope=SCOPE, force=True
    )

    assert urlsplit(url).path == "/oauth/authorize"
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["1"],
        "redirect_uri": ["http://localhost/back"],
        "response_type": ["code"],
        "approval_prompt": ["force"],
        "scope": [SCOPE],
        "state": ["s&t"],
    }


def test_a_code_becomes_tokens_that_work(world: World, strava: HttpStrava) -> None:
    grant = strava.exchange(code(world))

    left = grant.tokens.expires_at - datetime.now(UTC)
    assert grant.athlete_id == ATHLETE.id
    assert timedelta(hours=5) < left <= timedelta(hours=6)
    assert strava.page(grant.tokens.access, lane=Lane.WAITING).size == 0


def test_a_code_serves_once(world: World, strava: HttpStrava) -> None:
    spent = code(world)
    strava.exchange(spent)

    for refused in (spent, "never given"):
        with pytest.raises(CodeRefused):
            strava.exchange(refused)


def test_a_wrong_secret_is_our_mistake_and_no_runner_s(
    world: World, site: str, grant: Grant
) -> None:
    strava = strava_at(site, strava_client_secret="wrong")

    for asks in (
        lambda: strava.exchange(code(world)),
        lambda: strava.refresh(grant.tokens.refresh),
        lambda: strava.revoke(grant.tokens.access),
        strava.subscriptions,
    ):
        with pytest.raises(NotConfigured) as error:
            asks()
        assert "wrong" not in str(error.value)


def test_without_an_id_nothing_is_asked(site: str) -> None:
    strava = strava_at(site, strava_client_id=None)

    with pytest.raises(NotConfigured, match="MOODMILES_STRAVA_CLIENT_ID"):
        strava.subscriptions()


def test_a_full_app_says_so(world: World, strava: HttpStrava) -> None:
    given = code(world)
    with world.change():
        world.set(App(athlete_limit=0))

    with pytest.raises(AppFull):
        strava.exchange(given)


def test_a_refresh_replaces_the_pair(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.change():
        world.set(App(rotate="always"))

    fresh = strava.refresh(grant.tokens.refresh)

    assert fresh.refresh != grant.tokens.refresh
    assert strava.refresh(fresh.refresh).access
    with pytest.raises(AccessRevoked):
        strava.refresh(grant.tokens.refresh)


def test_after_a_revocation_both_tokens_are_dead(
    strava: HttpStrava, grant: Grant
) -> None:
    strava.revoke(grant.tokens.refresh)

    with pytest.raises(AccessRevoked):
        strava.refresh(grant.tokens.refresh)
    with pytest.raises(AccessRevoked):
        strava.page(grant.tokens.access, lane=Lane.SWEEP)


def test_a_run_is_read_for_one_request(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    run_id = ran(world, distance_m=8000, trainer=True, race=True, athlete_count=2)

    found = strava.run(grant.tokens.access, run_id, lane=Lane.NEW_RUN)

    assert isinstance(found, RemoteRun)
    assert (found.id, found.distance_m, found.zone) == (run_id, 8000, "Asia/Tokyo")
    assert found.treadmill
    assert found.race
    assert found.with_others
    assert world.usage.quarter_used == 1


def test_another_sport_is_not_a_run(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    ride_id = ran(world, sport_type="Ride")

    found = strava.run(grant.tokens.access, ride_id, lane=Lane.NEW_RUN)

    assert found == NotARun(ride_id, "Ride")


def test_what_is_not_there_is_not_on_strava(strava: HttpStrava, grant: Grant) -> None:
    with pytest.raises(NotOnStrava):
        strava.run(grant.tokens.access, 5, lane=Lane.NEW_RUN)


def test_an_unticked_permission_is_named(world: World, strava: HttpStrava) -> None:
    grant = strava.exchange(code(world, "read"))

    with pytest.raises(ScopeMissing):
        strava.page(grant.tokens.access, lane=Lane.WAITING)


def test_a_page_holds_everything_newest_first(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    old, new = ran(world, ended_minutes_ago=3000), ran(world, ended_minutes_ago=10)
    ride = ran(world, sport_type="Ride", ended_minutes_ago=90_000)

    page = strava.page(
        grant.tokens.access, lane=Lane.SWEEP, after=datetime(2020, 1, 1, tzinfo=UTC)
    )

    assert [run.id for run in page.runs] == [new, old]
    assert page.others == (NotARun(ride, "Ride"),)
    assert (page.size, page.unreadable) == (3, ())
    assert page.oldest_day is not None
    assert page.oldest_day < page.runs[-1].local_day


def test_pages_follow_each_other_until_an_empty_one(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.change():
        for minutes in range(201):
            finish(world, ATHLETE, NewRun(ended_minutes_ago=60 * minutes))
    before = datetime.now(UTC)

    pages = [
        strava.page(grant.tokens.access, lane=Lane.BACKFILL, page=number, before=before)
        for number in (1, 2, 3)
    ]

    assert [page.size for page in pages] == [200, 1, 0]
    assert pages[2].oldest_day is None


def test_a_page_between_two_moments(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    now = datetime.now(UTC)
    for hours in (1, 30, 60):
        ran(world, ended_minutes_ago=60 * hours)

    page = strava.page(
        grant.tokens.access,
        lane=Lane.SWEEP,
        after=now - timedelta(hours=40),
        before=now - timedelta(hours=20),
    )

    assert page.size == 1


def test_one_senseless_record_does_not_fail_its_page(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    good, bad = ran(world), ran(world, distance_m=-1)

    page = strava.page(grant.tokens.access, lane=Lane.BACKFILL)

    assert [run.id for run in page.runs] == [good]
    assert [(one.id, one.reason) for one in page.unreadable] == [
        (bad, "distance is out of range")
    ]
    with pytest.raises(StravaUnavailable, match="distance is out of range"):
        strava.run(grant.tokens.access, bad, lane=Lane.NEW_RUN)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 597},
        {"kind": "html"},
        {"kind": "empty"},
        {"kind": "reset"},
    ],
)
def test_a_strava_in_trouble_is_unavailable(
    world: World, strava: HttpStrava, grant: Grant, fault: dict[str, Any]
) -> None:
    given = code(world)
    fails(world, **fault)

    asked: list[Callable[[], object]] = [
        lambda: strava.exchange(given),
        lambda: strava.refresh(grant.tokens.refresh),
        lambda: strava.run(grant.tokens.access, 1, lane=Lane.NEW_RUN),
        lambda: strava.page(grant.tokens.access, lane=Lane.SWEEP),
        strava.subscriptions,
    ]
    for asks in asked:
        with pytest.raises(StravaUnavailable) as error:
            asks()
        assert error.value.__context__ is None


def test_an_inactive_app_is_told_apart(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.change():
        world.set(App(inactive=True))

    with pytest.raises(AppInactive):
        strava.run(grant.tokens.access, 1, lane=Lane.NEW_RUN)
    with pytest.raises(AppInactive):
        strava.subscriptions()


def test_a_refusal_for_asking_too_much_pauses_everything(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    fails(world, "status", status=429, times=1)

    with pytest.raises(RateLimited) as first:
        strava.page(grant.tokens.access, lane=Lane.SWEEP)
    with pytest.raises(RateLimited) as second:
        strava.run(grant.tokens.access, 1, lane=Lane.WAITING)

    assert first.value.until == second.value.until > datetime.now(UTC)
    assert world.usage.quarter_used == 1


def test_the_budget_follows_strava_s_own_count(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.change():
        world.set(replace(world.usage, quarter=0, day=0))
        world.set(Limits(quarter=40, day=90, read_quarter=30, read_day=80))

    strava.page(grant.tokens.access, lane=Lane.WAITING)

    meters = [(meter.used, meter.limit) for meter in strava.budget.state().meters]
    assert meters == [(1, 40), (1, 30), (1, 90), (1, 80)]


def test_a_used_up_budget_asks_strava_for_nothing(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.change():
        world.set(Limits(read_quarter=3))

    refused: list[MoodmilesError] = []
    for _ in range(6):
        try:
            strava.page(grant.tokens.access, lane=Lane.WAITING)
        except RateLimited as error:
            refused.append(error)

    assert len(refused) == 3
    assert world.usage.quarter_used == 3


def test_a_subscription_needs_a_callback_that_answers(strava: HttpStrava) -> None:
    with pytest.raises(RefusedByStrava, match="callback url") as error:
        strava.subscribe("http://127.0.0.1:9/hooks/strava/hidden", "verify")

    assert "hidden" not in str(error.value)
    assert strava.subscriptions() == []


def test_a_subscription_that_is_not_there_cannot_end(strava: HttpStrava) -> None:
    with pytest.raises(RefusedByStrava):
        strava.unsubscribe(12)
