"""The tests' stage without pytest: a simulated Strava, real tables, one clock."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import SecretStr

from sync.crypto import Sealer
from sync.database import Database, connect
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import App, Limits
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.conftest import KEY, migrate
from tests.support.clock import HandClock
from tests.support.harness import Stage
from tests.support.recording_queue import RecordingQueue

PLENTY = Limits(
    quarter=100_000, day=1_000_000, read_quarter=100_000, read_day=1_000_000
)


@contextmanager
def staged(folder: Path, *, database_url: str = "") -> Generator[Stage]:
    """Give a stage whose Strava sets no limits, on SQLite unless told otherwise."""
    quiet()
    url = database_url or f"sqlite:///{folder / 'moodmiles.sqlite3'}"
    migrate(url)
    with on_tables(url, folder) as stage:
        yield stage


@contextmanager
def on_tables(url: str, folder: Path) -> Generator[Stage]:
    """Give the same over tables that are there already."""
    clock, queue = HandClock(), RecordingQueue()
    world = World(clock=clock)
    with world.change():
        world.set(App(client_id="1", client_secret="simulated", token_s=10**8))
        world.set(PLENTY)
    with serve_in_thread(world) as strava_url:
        settings = _settings(folder, url, strava_url)
        strava = HttpStrava(settings, budget=Budget("", clock=clock))
        engine = connect(settings.sql_url)
        runtime = Runtime(
            settings=settings,
            db=Database(engine, queue, clock=clock),
            queue=queue,
            strava=strava,
            sealer=Sealer([KEY]),
            now=clock,
        )
        yield Stage(world, runtime, clock, queue)
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
        strava_verify_token=SecretStr("verify"),
        strava_webhook_secret=SecretStr("hook"),
    )


def quiet() -> None:
    """Log to nowhere: a bench measures work, not a terminal."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
