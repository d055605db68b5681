"""The demo's runner: 18 months of runs at Strava, and answers of their own."""

from host.demo_rows import store_demo_answers
from sync.simulator import seed
from tests.support.harness import Harness


def add_demo_runner(harness: Harness) -> int:
    """Link Robin and let them have answered, as in the demo; return their id."""
    with harness.world.transaction():
        seed.populate_world(harness.world, seed_number=1, exported_activities=None)
    athlete = next(
        candidate
        for candidate in harness.world.athletes
        if candidate.firstname == "Robin"
    )
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    with harness.runtime.db.transaction() as session:
        store_demo_answers(harness.runtime, session, runner_id)
    return runner_id
