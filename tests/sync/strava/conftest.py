"""A small Strava behind a real socket, and a runner who let us in."""

from collections.abc import Generator
from typing import Any

import pytest

from sync.settings import Settings
from sync.simulator import grants
from sync.simulator.activities import NewRun, finish
from sync.simulator.records import Athlete, Fault
from sync.simulator.world import World
from sync.strava import SCOPE, Grant
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.clock import NOON, HandClock
from tests.support.strava_server import SharedServer

ATHLETE = Athlete(id=7, firstname="A", lastname="B", zone="Asia/Tokyo", created_s=0)


@pytest.fixture
def world() -> World:
    world = World(clock=HandClock())
    with world.change():
        world.athletes.put(ATHLETE)
    return world


@pytest.fixture
def site(strava_server: SharedServer, world: World) -> Generator[str]:
    with strava_server.show(world) as url:
        yield url


def strava_at(site: str, **settings: Any) -> HttpStrava:
    known: dict[str, Any] = {
        "strava_client_id": 1,
        "strava_client_secret": "simulated",
        "strava_site_url": site,
        "strava_api_url": f"{site}/api/v3",
    }
    # The machine's clock may stand in a quarter's last second, which refuses work.
    budget = Budget("", clock=lambda: NOON)
    return HttpStrava(Settings(**(known | settings)), budget=budget)


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
