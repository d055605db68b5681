"""Fixtures: one athlete in the world of the simulator, and an app that calls it."""

import pytest

from sync.simulator.records import Athlete
from sync.simulator.server import create_server
from sync.simulator.world import World
from tests.sync.simulator.api_client import Caller


@pytest.fixture
def athlete(world: World) -> Athlete:
    ada = Athlete(
        id=7, firstname="Ada", lastname="L.", zone="Europe/Berlin", created_s=0
    )
    with world.change():
        world.athletes.put(ada)
    return ada


@pytest.fixture
def caller(world: World) -> Caller:
    return Caller(create_server(world).test_client())
