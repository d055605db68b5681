"""The tests' stage without pytest: a simulated Strava, real tables, one clock."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import SecretStr

from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import App, Limits
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.conftest import KEY, migrate
from tests.support.clock import ManualClock
from tests.support.harness import Harness
from tests.support.recording_queue import RecordingQueue
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

PLENTY = Limits(
    quarter=100_000, day=1_000_000, read_quarter=100_000, read_day=1_000_000
)


@contextmanager
def open_harness(folder: Path, *, database_url: str = "") -> Generator[Harness]:
    """Give a stage whose Strava sets no limits, on SQLite unless told otherwise."""
    silence_logging()
    url = database_url or f"sqlite:///{folder / 'moodmiles.sqlite3'}"
    migrate(url)
    with open_harness_on_tables(url, folder) as harness:
        yield harness


@contextmanager
def open_harness_on_tables(url: str, folder: Path) -> Generator[Harness]:
    """Give the same over tables that are there already."""
    clock, queue = ManualClock(), RecordingQueue()
    world = World(clock=clock)
    with world.transaction():
        world.put_singleton(
            App(client_id="1", client_secret="simulated", token_s=10**8)
        )
        world.put_singleton(PLENTY)
    with serve_in_thread(world) as strava_url:
        settings = _settings(folder, url, strava_url)
        strava = HttpStrava(settings, budget=Budget("", clock=clock))
        engine = open_engine(settings.sql_url)
        runtime = Runtime(
            settings=settings,
            db=Database(engine, queue, clock=clock),
            queue=queue,
            strava=strava,
            sealer=Sealer([KEY]),
            now=clock,
        )
        yield Harness(world, runtime, clock, queue)
        engine.dispose()
    world.close()


def _settings(folder: Path, url: str, strava_url: str) -> Settings:
    return Settings.model_construct(
        data_dir=folder,
        database_url=url,
        secret_keys=[SecretStr(KEY)],
        strava_client_id=1,
        strava_client_secret=SecretStr("simulated"),
        strava_site_url=strava_url,
        strava_api_url=f"{strava_url}/api/v3",
        strava_verify_token=SecretStr(VERIFY_TOKEN),
        strava_webhook_secret=SecretStr(WEBHOOK_SECRET),
    )


def silence_logging() -> None:
    """Log to nowhere: a bench measures work, not a terminal."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
