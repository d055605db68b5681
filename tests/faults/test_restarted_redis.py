"""Redis stopped, started and emptied under a real worker: the tables remember."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from signal import SIGKILL
from subprocess import Popen

import pytest
from celery import Celery

from host.process_commands import worker_argv
from sync.clock import utc_now
from sync.database import Database, open_engine
from sync.queue import CeleryQueue
from sync.runtime import Runtime
from sync.simulator.records import App
from sync.simulator.world import World
from tests.conftest import KEY
from tests.support.harness import Harness
from tests.support.live_instance import wait_for
from tests.support.servers import ValkeyServer, run_valkey
from tests.support.table_comparison import expected_rows, stored_rows

pytestmark = pytest.mark.processes


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """A harness whose queue sends real messages, and the Redis that carries them."""

    harness: Harness
    redis: ValkeyServer


@pytest.fixture
def world() -> Iterator[World]:
    """Let the world go by the machine's clock, as the worker does."""
    world = World(clock=utc_now)
    with world.transaction():
        world.put_singleton(App(client_id="1", client_secret="simulated"))
    yield world
    world.close()


@pytest.fixture
def worker_setup(harness: Harness) -> Iterator[WorkerSetup]:
    """Start a Redis and a worker, and wake it by real messages from here on."""
    harness.clock.at = utc_now()
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    with run_valkey() as redis:
        queue = CeleryQueue(redis.url)
        worker = start_worker(harness.runtime, redis.url)
        engine = open_engine(harness.runtime.settings.sql_url)
        runtime = replace(harness.runtime, queue=queue, db=Database(engine, queue))
        yield WorkerSetup(replace(harness, runtime=runtime), redis)
        os.killpg(worker.pid, SIGKILL)
        worker.wait()
        engine.dispose()


def start_worker(runtime: Runtime, redis_url: str) -> Popen[bytes]:
    """Start a worker on the runtime's tables, in a process group of its own."""
    settings = runtime.settings
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOODMILES_")
    }
    environment = {
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
        [sys.executable, "-m", *worker_argv(pool, 2)],
        env=inherited | environment,
        start_new_session=True,
    )


def wake_all_queues(redis: ValkeyServer) -> None:
    """Do what the schedule does each minute."""
    with Celery(broker=redis.url, set_as_current=False) as beat:
        beat.send_task("sweep", ignore_result=True)


def announce_run(harness: Harness, minutes: int) -> None:
    athlete = next(iter(harness.world.athletes))
    run = harness.finish_run(athlete, ended_minutes_ago=minutes)
    harness.clock.at = utc_now()
    harness.deliver_event(athlete, run.id, "create")


def assert_tables_agree(harness: Harness) -> bool:
    return stored_rows(harness) == expected_rows(harness.world)


def test_redis_goes_comes_back_and_is_emptied(worker_setup: WorkerSetup) -> None:
    harness, redis = worker_setup.harness, worker_setup.redis

    announce_run(harness, 5)
    wait_for(lambda: assert_tables_agree(harness))  # woken by the event itself

    redis.stop()
    announce_run(harness, 50)  # stored, though nobody can be woken
    redis.start()
    wait_for(lambda: _has_woken_all_queues(harness, redis))

    announce_run(harness, 100)
    redis.flush()
    wait_for(lambda: _has_woken_all_queues(harness, redis))

    assert assert_tables_agree(harness)


def _has_woken_all_queues(harness: Harness, redis: ValkeyServer) -> bool:
    wake_all_queues(redis)
    return assert_tables_agree(harness)
