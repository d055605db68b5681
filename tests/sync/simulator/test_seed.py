"""A seeded world looks like the log of somebody who really runs."""

from statistics import mean

import pytest

from sync.simulator import seed
from sync.simulator.records import Activity
from sync.simulator.world import World
from tests.support.clock import ManualClock


@pytest.fixture
def runs(world: World) -> list[Activity]:
    with world.transaction():
        seed.populate_world(world, seed_number=1, exported_activities=None)
    robins = world.list_activities(seed.ROBIN_ID)
    return [
        activity for activity in robins if activity.sport_type in {"Run", "TrailRun"}
    ]


def test_robin_has_run_about_every_other_day_for_eighteen_months(
    runs: list[Activity], clock: ManualClock
) -> None:
    days = (runs[-1].start_s - runs[0].start_s) / 86_400
    age_h = (clock().timestamp() - runs[-1].start_s) / 3600

    assert 520 < days < 550
    assert 3.1 < len(runs) / days * 7 < 3.9
    assert 24 < age_h < 24 * 14


def test_the_log_has_a_bit_of_everything(world: World, runs: list[Activity]) -> None:
    sports = {one.sport_type for one in world.list_activities(seed.ROBIN_ID)}

    assert {"Run", "TrailRun", "Ride"} == sports
    assert sum(run.trainer for run in runs) >= 3
    assert sum(run.manual for run in runs) >= 1
    assert sum(run.workout_type == 1 for run in runs) >= 2
    assert sum(run.athlete_count > 1 for run in runs) >= 20


def test_lengths_and_paces_are_a_runners(runs: list[Activity]) -> None:
    kilometres = [run.distance_m / 1000 for run in runs]
    paces_s = [run.moving_s / (run.distance_m / 1000) for run in runs]

    assert 6 < mean(kilometres) < 11
    assert min(kilometres) > 1.4
    assert max(kilometres) < 35
    assert min(paces_s) > 240
    assert max(paces_s) < 450


def test_the_same_seed_grows_the_same_world(
    runs: list[Activity], clock: ManualClock
) -> None:
    again = World(clock=clock)
    with again.transaction():
        seed.populate_world(again, seed_number=1, exported_activities=None)

    assert {run.id for run in runs} <= {one.id for one in again.iter_activities()}
    assert again.get_activity(runs[-1].id) == runs[-1]
