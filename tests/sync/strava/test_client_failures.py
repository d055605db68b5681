"""What a Strava in trouble, or one that is asked too much, means to us."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.errors import (
    AppInactive,
    MoodmilesError,
    RateLimited,
    StravaUnavailable,
)
from sync.simulator.records import App, Limits
from sync.simulator.world import World
from sync.strava import Grant, Lane
from sync.strava.client import HttpStrava
from tests.support.clock import NOON
from tests.support.http_listener import run_http_listener
from tests.sync.strava.conftest import add_fault, build_strava, give_code

RECORDS = Path(__file__).parent / "records"


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
    given = give_code(world)
    add_fault(world, **fault)

    asked: list[Callable[[], object]] = [
        lambda: strava.exchange(given),
        lambda: strava.refresh(grant.tokens.refresh),
        lambda: strava.run(grant.tokens.access, 1, lane=Lane.NEW_RUN),
        lambda: strava.page(grant.tokens.access, lane=Lane.RECONCILE),
        strava.subscriptions,
    ]
    for asks in asked:
        with pytest.raises(StravaUnavailable) as error:
            asks()
        assert error.value.__context__ is None


def test_an_inactive_app_is_told_apart(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.transaction():
        world.put_singleton(App(inactive=True))

    with pytest.raises(AppInactive):
        strava.run(grant.tokens.access, 1, lane=Lane.NEW_RUN)
    with pytest.raises(AppInactive):
        strava.subscriptions()


def test_a_refusal_for_asking_too_much_pauses_everything(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    add_fault(world, "status", status=429, times=1)

    with pytest.raises(RateLimited) as first:
        strava.page(grant.tokens.access, lane=Lane.RECONCILE)
    with pytest.raises(RateLimited) as second:
        strava.run(grant.tokens.access, 1, lane=Lane.WAITING)

    assert first.value.until == second.value.until > NOON
    assert world.usage.quarter_used == 1


def test_the_budget_follows_strava_s_own_count(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.transaction():
        world.put_singleton(replace(world.usage, quarter=0, day=0))
        world.put_singleton(Limits(quarter=40, day=90, read_quarter=30, read_day=80))

    strava.page(grant.tokens.access, lane=Lane.WAITING)

    meters = [(meter.used, meter.limit) for meter in strava.budget.state().meters]
    assert meters == [(1, 40), (1, 30), (1, 90), (1, 80)]


def test_a_used_up_budget_asks_strava_for_nothing(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.transaction():
        world.put_singleton(Limits(read_quarter=12))

    refused: list[MoodmilesError] = []
    for _ in range(6):
        try:
            strava.page(grant.tokens.access, lane=Lane.WAITING)
        except RateLimited as error:
            refused.append(error)

    assert len(refused) == 3
    assert world.usage.quarter_used == 3


@pytest.mark.parametrize("number", ["1" * 5000, "NaN", "-Infinity", "1e999"])
def test_an_absurd_number_costs_its_own_record_alone(number: str) -> None:
    sound = (RECORDS / "treadmill_summary.json").read_text()
    odd = json.dumps(json.loads(sound) | {"distance": "?"}).replace('"?"', number)
    with run_http_listener() as listener:
        listener.body = f"[{sound}, {odd}, {sound}]"
        page = build_strava(listener.url).page("access", lane=Lane.RECONCILE)

    assert (len(page.runs), len(page.unreadable)) == (2, 1)
