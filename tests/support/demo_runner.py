"""The demo's runner: 18 months of runs at Strava, and answers of their own."""

from host import seeding
from sync.simulator import seed
from tests.support.harness import Stage


def robin_in(stage: Stage) -> int:
    """Link Robin and let them have answered, as in the demo; return their id."""
    with stage.world.change():
        seed.populate(stage.world, number=1, exported=None)
    athlete = next(one for one in stage.world.athletes if one.firstname == "Robin")
    runner_id = stage.link(athlete)
    stage.work()
    with stage.runtime.db.transaction() as session:
        seeding.remember(stage.runtime, session, runner_id)
    return runner_id
