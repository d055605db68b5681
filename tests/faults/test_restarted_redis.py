"""Redis stopped, started and emptied under a real worker: the tables remember."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from signal import SIGKILL
from subprocess import Popen

import pytest
from celery import Celery

from host.process_commands import worker_words
from sync.clock import utc_now
from sync.database import Database, connect
from sync.queue import CeleryQueue
from sync.runtime import Runtime
from sync.simulator.records import App
from sync.simulator.world import World
from tests.conftest import KEY
from tests.support.harness import Stage
from tests.support.live_instance import until
from tests.support.servers import Valkey, valkey
from tests.support.table_comparison import ours, theirs

pytestmark = pytest.mark.processes

Told = tuple[Stage, Valkey]


@pytest.fixture
def world() -> Iterator[World]:
    """Let the world go by the machine's clock, as the worker does."""
    world = World(clock=utc_now)
    with world.change():
        world.set(App(client_id="1", client_secret="simulated"))
    yield world
    world.close()


@pytest.fixture
def told(stage: Stage) -> Iterator[Told]:
    """Start a Redis and a worker, and wake it by real messages from here on."""
    stage.clock.at = utc_now()
    stage.link(stage.athlete())
    stage.work()
    with valkey() as redis:
        queue = CeleryQueue(redis.url)
        worker = _worker(stage.runtime, redis.url)
        engine = connect(stage.runtime.settings.sql_url)
        runtime = replace(stage.runtime, queue=queue, db=Database(engine, queue))
        yield replace(stage, runtime=runtime), redis
        os.killpg(worker.pid, SIGKILL)
        worker.wait()
        engine.dispose()


def _worker(runtime: Runtime, redis_url: str) -> Popen[bytes]:
    settings = runtime.settings
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOODMILES_")
    }
    ours = {
        "MOODMILES_DATA_DIR": str(settings.data_dir),
        "MOODMILES_DATABASE_URL": settings.database_url,
        "MOODMILES_REDIS_URL": redis_url,
        "MOODMILES_SECRET_KEYS": KEY,
        "MOODMILES_STRAVA_CLIENT_ID": "1",
        "MOODMILES_STRAVA_CLIENT_SECRET": "simulated",
        "MOODMILES_STRAVA_SITE_URL": settings.strava_site_url,
        "MOODMILES_STRAVA_API_URL": settings.strava_api_url,
    }
    # As `moodmiles up` starts it, and as `moodmiles worker` does.
    pool = "threads" if settings.database_url.startswith("sqlite") else "prefork"
    return Popen(  # noqa: S603
        [sys.executable, "-m", *worker_words(pool, 2)],
        env=inherited | ours,
        start_new_session=True,
    )


def sweep(redis: Valkey) -> None:
    """Do what the schedule does each minute."""
    with Celery(broker=redis.url, set_as_current=False) as beat:
        beat.send_task("sweep", ignore_result=True)


def announce(stage: Stage, minutes: int) -> None:
    athlete = next(iter(stage.world.athletes))
    run = stage.run(athlete, ended_minutes_ago=minutes)
    stage.clock.at = utc_now()
    stage.tell(athlete, run.id, "create")


def agree(stage: Stage) -> bool:
    return ours(stage) == theirs(stage.world)


def test_redis_goes_comes_back_and_is_emptied(told: Told) -> None:
    stage, redis = told

    announce(stage, 5)
    until(lambda: agree(stage))  # woken by the event itself

    redis.stop()
    announce(stage, 50)  # stored, though nobody can be woken
    redis.start()
    until(lambda: _swept(stage, redis))

    announce(stage, 100)
    redis.flush()
    until(lambda: _swept(stage, redis))

    assert agree(stage)


def _swept(stage: Stage, redis: Valkey) -> bool:
    sweep(redis)
    return agree(stage)
