"""Events lost, doubled, hours late, out of order: after a sweep the tables agree."""

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
from sync.simulator.records import Delivery, Subscription
from sync.simulator.serving import QuietHandler
from tests.support.harness import Stage
from tests.support.random_activity import change
from tests.support.servers import wait_for
from tests.support.table_comparison import ours, survey_mails, theirs, undecided
from web.app import create_app

pytestmark = pytest.mark.slow

CHANGES = 120
ROUGH = Delivery(drop=0.2, double=0.2, reorder=0.3, retry_gap_s=0)
LATE_S = {"at once": (0,), "hours late": (0, 0, 90, 1500, 4 * 3600)}
LATEST = timedelta(hours=5)


@pytest.fixture
def subscribed(stage: Stage) -> Iterator[Stage]:
    """Let the simulated Strava post its events to a real web server of ours."""
    server = make_server(
        "127.0.0.1",
        0,
        create_app(stage.runtime),
        threaded=True,
        request_handler=QuietHandler,
    )
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.port}/hooks/strava/hook"
    with stage.world.change():
        stage.world.subscriptions.put(
            Subscription(id=1, callback_url=address, created_s=0)
        )
    yield stage
    server.shutdown()
    thread.join()
    server.server_close()


def live(stage: Stage, chance: Random) -> None:
    """Let one athlete do one thing, mostly to a run of the last days."""
    athlete = activities.find_athlete(stage.world, chance.choice((7, 8, 9)))
    known = stage.world.activities_of(athlete.id)
    action = chance.choice(("run", "run", "rename", "crop", "retype", "flip", "delete"))
    if action == "run" or not known:
        ago = chance.choice((5, 30, 2000))
        stage.run(
            athlete, distance_m=chance.randint(1, 20) * 1000, ended_minutes_ago=ago
        )
        return
    one = chance.choice(known)
    with stage.world.change():
        if action == "delete":
            activities.delete(stage.world, one)
        else:
            activities.edit(stage.world, one, change(one, action, chance))


def planned(stage: Stage) -> int:
    """Allow one read for each event, and four for what is gone when it is told of."""
    with stage.runtime.db.reading() as session:
        told = session.execute(select(Event.aspect, Event.subject_id)).all()
    shown = theirs(stage.world)
    return sum(
        4 if aspect == "create" and run_id not in shown else 1
        for aspect, run_id in told
    )


@pytest.mark.parametrize("late_s", LATE_S.values(), ids=LATE_S)
def test_after_the_sweep_the_tables_are_strava_s(
    subscribed: Stage, late_s: tuple[float, ...]
) -> None:
    stage, chance = subscribed, Random(4)  # noqa: S311
    for athlete_id in (7, 8, 9):
        stage.link(stage.athlete(athlete_id))
    stage.work()
    imported = stage.reads()

    for step in range(CHANGES):
        with stage.world.change():
            stage.world.set(replace(ROUGH, delay_s=chance.choice(late_s)))
        live(stage, chance)
        stage.pass_time(minutes=7)
        if step % 10 == 0:
            stage.work()
    stage.clock.at += LATEST
    wait_for(lambda: not events.waiting(stage.world))
    for _ in range(4):
        stage.work()
        stage.pass_time(minutes=15)
    before_the_sweep = stage.reads()
    stage.pass_time(days=1)
    reconcile.drain(stage.runtime)
    stage.work()

    assert ours(stage) == theirs(stage.world)
    assert undecided(stage) == 0
    mails = survey_mails(stage)
    assert len(mails) == len(set(mails))
    assert before_the_sweep - imported <= planned(stage)
    # One list for each runner, and one question for each run that went unsaid.
    assert stage.reads() - before_the_sweep <= 3 + CHANGES * 0.2
