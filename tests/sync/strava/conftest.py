"""A small Strava behind a real socket, and a runner who let us in."""

from collections.abc import Generator
from typing import Any

import pytest

from sync.settings import Settings
from sync.simulator import grants
from sync.simulator.activities import RunUpload, upload_run
from sync.simulator.records import Athlete, SimulatedFault
from sync.simulator.world import World
from sync.strava import SCOPE, Grant
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.clock import NOON, ManualClock
from tests.support.strava_server import SharedStravaServer

ATHLETE = Athlete(id=7, firstname="A", lastname="B", zone="Asia/Tokyo", created_s=0)


@pytest.fixture
def world() -> World:
    world = World(clock=ManualClock())
    with world.transaction():
        world.athletes.put(ATHLETE)
    return world


@pytest.fixture
def site(strava_server: SharedStravaServer, world: World) -> Generator[str]:
    with strava_server.serve_world(world) as url:
        yield url


def build_strava(site: str, **settings: Any) -> HttpStrava:
    values: dict[str, Any] = {
        "strava_client_id": 1,
        "strava_client_secret": "simulated",
        "strava_site_url": site,
        "strava_api_url": f"{site}/api/v3",
    }
    # The machine's clock may stand in a quarter's last second, which refuses work.
    budget = Budget("", clock=lambda: NOON)
    return HttpStrava(Settings(**(values | settings)), budget=budget)


@pytest.fixture
def strava(site: str) -> HttpStrava:
    return build_strava(site)


def give_code(world: World, scope: str = SCOPE) -> str:
    with world.transaction():
        return grants.issue_code(world, ATHLETE.id, scope)


@pytest.fixture
def grant(world: World, strava: HttpStrava) -> Grant:
    return strava.exchange(give_code(world))


def finish_run(world: World, **run: Any) -> int:
    with world.transaction():
        return upload_run(world, ATHLETE, RunUpload(**run)).id


def add_fault(world: World, kind: Any, **fault: Any) -> None:
    with world.transaction():
        world.faults.put(SimulatedFault(id=1, kind=kind, **fault))
