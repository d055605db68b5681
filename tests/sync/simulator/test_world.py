"""The world's memory: what was put is there again, and numbers never come back."""

from pathlib import Path

import pytest

from sync.simulator import activities, seed
from sync.simulator.records import Activity, Athlete, Limits
from sync.simulator.world import FIRST_IDS, World
from tests.support.clock import ManualClock
from tests.sync.simulator.test_shapes import TREADMILL_BY_HAND

ADA = Athlete(id=7, firstname="Ada", lastname="L.", zone="Europe/Berlin", created_s=0)


def fail_in_change(world: World) -> None:
    with world.transaction():
        world.athletes.put(ADA)
        raise ValueError("refused")


def reopen_world(world: World, path: Path, clock: ManualClock) -> World:
    world.close()
    return World(clock=clock, state=path)


def test_everything_is_there_when_the_world_is_opened_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "world.sqlite3"
    world = World(clock=clock, state=path)
    with world.transaction():
        world.athletes.put(ADA)
        world.put_singleton(Limits(read_quarter=7))
        kept = activities.upload_run(world, ADA, activities.RunUpload())
        gone = activities.upload_run(world, ADA, activities.RunUpload())
        activities.delete_activity(world, gone)

    world = reopen_world(world, path, clock)

    assert list(world.athletes) == [ADA]
    assert world.list_activities(7) == [kept]
    assert world.limits.read_quarter == 7
    world.close()


def test_a_change_that_ends_in_a_refusal_keeps_memory_and_file_alike(
    tmp_path: Path, clock: ManualClock
) -> None:
    path = tmp_path / "world.sqlite3"
    world = World(clock=clock, state=path)

    with pytest.raises(ValueError, match="refused"):
        fail_in_change(world)

    assert 7 in world.athletes
    world = reopen_world(world, path, clock)
    assert 7 in world.athletes
    world.close()


def test_the_number_of_a_deleted_run_never_comes_back(world: World) -> None:
    with world.transaction():
        first = activities.upload_run(world, ADA, activities.RunUpload())
        activities.delete_activity(world, first)

        second = activities.upload_run(world, ADA, activities.RunUpload())

    assert second.id > first.id


def test_an_exported_run_keeps_its_number_to_itself(world: World) -> None:
    taken = FIRST_IDS["activity"] + 1
    exported = Activity(**vars(TREADMILL_BY_HAND) | {"id": taken})
    with world.transaction():
        world.put_activity(exported)

        new = activities.upload_run(world, ADA, activities.RunUpload())

    assert world.get_activity(taken) == exported
    assert new.id == taken + 1


def test_people_are_put_into_a_world_once(world: World) -> None:
    with world.transaction():
        seed.populate_world(
            world, seed_number=1, exported_activities=[TREADMILL_BY_HAND]
        )
        before = len(list(world.iter_activities()))
        seed.populate_world(
            world, seed_number=1, exported_activities=[TREADMILL_BY_HAND]
        )

    assert len(list(world.iter_activities())) == before
    assert {athlete.firstname for athlete in world.athletes} == {"Sam", "Robin"}
