"""Events lost, doubled, late and out of order: after a sweep the tables agree."""

from collections.abc import Iterator
from random import Random
from threading import Thread

import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from sync.models import Event
from sync.runs import sweep
from sync.simulator import events, life
from sync.simulator.records import Activity, Delivery, Subscription
from sync.simulator.serving import QuietHandler
from tests.faults.mirror import ours, survey_mails, theirs, undecided
from tests.servers import wait_for
from tests.stage import Stage
from web.app import create_app

CHANGES = 120


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
    athlete = life.find_athlete(stage.world, chance.choice((7, 8, 9)))
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
            life.delete(stage.world, one)
        else:
            life.edit(stage.world, one, change(one, action, chance))


def change(one: Activity, action: str, chance: Random) -> life.Edit:
    match action:
        case "rename":
            return life.Edit(name=f"Run {chance.random()}")
        case "crop":
            return life.Edit(distance_m=one.distance_m / 2, moving_s=one.moving_s // 2)
        case "retype":
            sport = "Ride" if one.sport_type == "Run" else "Run"
            return life.Edit(sport_type=sport)
        case _:
            hidden = one.visibility == "only_me"
            return life.Edit(visibility="everyone" if hidden else "only_me")


def test_after_the_sweep_the_tables_are_strava_s(subscribed: Stage) -> None:
    stage, chance = subscribed, Random(4)  # noqa: S311
    for athlete_id in (7, 8, 9):
        stage.link(stage.athlete(athlete_id))
    stage.work()
    imported = stage.reads()
    with stage.world.change():
        stage.world.set(Delivery(drop=0.2, double=0.2, reorder=0.3, retry_gap_s=0))

    for step in range(CHANGES):
        live(stage, chance)
        stage.pass_time(minutes=7)
        if step % 10 == 0:
            stage.work()
    stage.pass_time(minutes=1)
    wait_for(lambda: not events.waiting(stage.world))
    for _ in range(4):
        stage.work()
        stage.pass_time(minutes=15)
    before_the_sweep = stage.reads()
    stage.pass_time(days=1)
    sweep.drain(stage.runtime)
    stage.work()

    assert ours(stage) == theirs(stage.world)
    assert undecided(stage) == 0
    mails = survey_mails(stage)
    assert len(mails) == len(set(mails))
    with stage.runtime.db.reading() as session:
        taken = session.scalar(select(func.count()).select_from(Event)) or 0
    # One read an event at most, four for one announced and gone at once.
    assert before_the_sweep - imported <= taken
    # One list for each runner, and one question for each run that went unsaid.
    assert stage.reads() - before_the_sweep <= 3 + CHANGES * 0.2
