"""The world's memory: what was put is there again, and numbers never come back."""

from pathlib import Path

import pytest

from sync.simulator import activities, seed
from sync.simulator.records import Activity, Athlete, Limits
from sync.simulator.world import FIRST_NUMBERS, World
from tests.support.clock import HandClock
from tests.sync.simulator.test_shapes import TREADMILL_BY_HAND

ADA = Athlete(id=7, firstname="Ada", lastname="L.", zone="Europe/Berlin", created_s=0)


def change_and_fail(world: World) -> None:
    with world.change():
        world.athletes.put(ADA)
        raise ValueError("refused")


def reopened(world: World, path: Path, clock: HandClock) -> World:
    world.close()
    return World(clock=clock, state=path)


def test_everything_is_there_when_the_world_is_opened_again(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "world.sqlite3"
    world = World(clock=clock, state=path)
    with world.change():
        world.athletes.put(ADA)
        world.set(Limits(read_quarter=7))
        kept = activities.finish(world, ADA, activities.NewRun())
        gone = activities.finish(world, ADA, activities.NewRun())
        activities.delete(world, gone)

    world = reopened(world, path, clock)

    assert list(world.athletes) == [ADA]
    assert world.activities_of(7) == [kept]
    assert world.limits.read_quarter == 7
    world.close()


def test_a_change_that_ends_in_a_refusal_keeps_memory_and_file_alike(
    tmp_path: Path, clock: HandClock
) -> None:
    path = tmp_path / "world.sqlite3"
    world = World(clock=clock, state=path)

    with pytest.raises(ValueError, match="refused"):
        change_and_fail(world)

    assert 7 in world.athletes
    world = reopened(world, path, clock)
    assert 7 in world.athletes
    world.close()


def test_the_number_of_a_deleted_run_never_comes_back(world: World) -> None:
    with world.change():
        first = activities.finish(world, ADA, activities.NewRun())
        activities.delete(world, first)

        second = activities.finish(world, ADA, activities.NewRun())

    assert second.id > first.id


def test_an_exported_run_keeps_its_number_to_itself(world: World) -> None:
    taken = FIRST_NUMBERS["activity"] + 1
    exported = Activity(**vars(TREADMILL_BY_HAND) | {"id": taken})
    with world.change():
        world.put_activity(exported)

        new = activities.finish(world, ADA, activities.NewRun())

    assert world.activity(taken) == exported
    assert new.id == taken + 1


def test_people_are_put_into_a_world_once(world: World) -> None:
    with world.change():
        seed.populate(world, number=1, exported=[TREADMILL_BY_HAND])
        before = len(list(world.activities()))
        seed.populate(world, number=1, exported=[TREADMILL_BY_HAND])

    assert len(list(world.activities())) == before
    assert {athlete.firstname for athlete in world.athletes} == {"Sam", "Robin"}
