"""Fixtures: one athlete in the world of the simulator, and an app that calls it."""

import pytest

from sync.simulator.records import Athlete
from sync.simulator.server import create_app
from sync.simulator.world import World
from tests.sync.simulator.api_client import SimulatorClient


@pytest.fixture
def athlete(world: World) -> Athlete:
    ada = Athlete(
        id=7, firstname="Ada", lastname="L.", zone="Europe/Berlin", created_s=0
    )
    with world.transaction():
        world.athletes.put(ada)
    return ada


@pytest.fixture
def caller(world: World) -> SimulatorClient:
    return SimulatorClient(create_app(world).test_client())
