"""Events lost, doubled, late, out of order: after reconciling, the tables agree."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from threading import Thread

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from sync.models import Event
from sync.runs import reconcile
from sync.simulator import activities, events
from sync.simulator.records import DeliverySettings, SimulatedSubscription
from sync.simulator.serving import QuietHandler
from tests.support.harness import Harness
from tests.support.random_activity import build_edit
from tests.support.servers import wait_until
from tests.support.table_comparison import (
    count_undecided,
    expected_rows,
    list_surveyed_runs,
    stored_rows,
)
from web.app import create_app

pytestmark = pytest.mark.slow

CHANGES = 120
ROUGH = DeliverySettings(drop=0.2, double=0.2, reorder=0.3, retry_gap_s=0)
LATE_S = {"at once": (0,), "hours late": (0, 0, 90, 1500, 4 * 3600)}
LATEST = timedelta(hours=5)


@pytest.fixture
def subscribed_harness(harness: Harness) -> Iterator[Harness]:
    """Let the simulated Strava post its events to a real web server of ours."""
    server = make_server(
        "127.0.0.1",
        0,
        create_app(harness.runtime),
        threaded=True,
        request_handler=QuietHandler,
    )
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.port}/hooks/strava/hook"
    with harness.world.transaction():
        harness.world.subscriptions.put(
            SimulatedSubscription(id=1, callback_url=address, created_s=0)
        )
    yield harness
    server.shutdown()
    thread.join()
    server.server_close()


def act_randomly(harness: Harness, rng: Random) -> None:
    """Let one athlete do one thing, mostly to a run of the last days."""
    athlete = activities.require_athlete(harness.world, rng.choice((7, 8, 9)))
    own = harness.world.list_activities(athlete.id)
    action = rng.choice(("run", "run", "rename", "crop", "retype", "flip", "delete"))
    if action == "run" or not own:
        ago = rng.choice((5, 30, 2000))
        harness.finish_run(
            athlete, distance_m=rng.randint(1, 20) * 1000, ended_minutes_ago=ago
        )
        return
    activity = rng.choice(own)
    with harness.world.transaction():
        if action == "delete":
            activities.delete_activity(harness.world, activity)
        else:
            activities.edit_activity(
                harness.world, activity, build_edit(activity, action, rng)
            )


def list_planned_events(harness: Harness) -> int:
    """Allow one read for each event, and four for what is gone when it is told of."""
    with harness.runtime.db.read_only() as session:
        events = session.execute(select(Event.aspect, Event.subject_id)).all()
    shown = expected_rows(harness.world)
    return sum(
        4 if aspect == "create" and run_id not in shown else 1
        for aspect, run_id in events
    )


@pytest.mark.parametrize("late_s", LATE_S.values(), ids=LATE_S)
def test_after_reconciling_the_tables_are_strava_s(
    subscribed_harness: Harness, late_s: tuple[float, ...]
) -> None:
    harness, chance = subscribed_harness, Random(4)  # noqa: S311
    for athlete_id in (7, 8, 9):
        harness.link_runner(harness.add_athlete(athlete_id))
    harness.process_all_due()
    imported = harness.count_strava_reads()

    for step in range(CHANGES):
        with harness.world.transaction():
            harness.world.put_singleton(replace(ROUGH, delay_s=chance.choice(late_s)))
        act_randomly(harness, chance)
        harness.advance_clock(minutes=7)
        if step % 10 == 0:
            harness.process_all_due()
    harness.clock.at += LATEST
    wait_until(lambda: not events.list_pending_events(harness.world))
    for _ in range(4):
        harness.process_all_due()
        harness.advance_clock(minutes=15)
    before_reconciling = harness.count_strava_reads()
    harness.advance_clock(days=1)
    reconcile.process_due(harness.runtime)
    harness.process_all_due()

    assert stored_rows(harness) == expected_rows(harness.world)
    assert count_undecided(harness) == 0
    mails = list_surveyed_runs(harness)
    assert len(mails) == len(set(mails))
    assert before_reconciling - imported <= list_planned_events(harness)
    # One list for each runner, and one question for each run that went unsaid.
    assert harness.count_strava_reads() - before_reconciling <= 3 + CHANGES * 0.2
