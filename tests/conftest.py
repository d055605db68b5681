"""Fixtures: real tables, a simulated Strava on a real socket, a hand-set clock."""

import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import text

from sync.crypto import Sealer
from sync.database import Database, connect
from sync.models import Model
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import App
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.clock import HandClock
from tests.postgres import postgres
from tests.queues import RecordingQueue
from tests.stage import Stage

KEY = "a key for tests that is long enough"


def migrate(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", "sync:migrations")
    config.attributes["url"] = url
    command.upgrade(config, "head")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate once; each test gets its own copy of the empty tables."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with postgres() as url:
        psycopg = url.replace("postgresql://", "postgresql+psycopg://")
        migrate(psycopg)
        yield psycopg


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite unless a package's own conftest asks for both."""
    copy = tmp_path / "moodmiles.sqlite3"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


def emptied(url: str) -> str:
    """Empty a shared PostgreSQL before the next test uses it."""
    engine = connect(url)
    names = ", ".join(table.name for table in Model.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.fixture
def world(clock: HandClock) -> Iterator[World]:
    world = World(clock=clock)
    with world.change():
        world.set(App(client_id="1", client_secret="simulated"))
    yield world
    world.close()


@pytest.fixture
def strava_url(world: World) -> Iterator[str]:
    with serve_in_thread(world) as url:
        yield url


@pytest.fixture
def settings(database_url: str, strava_url: str, tmp_path: Path) -> Settings:
    return Settings.model_construct(
        data_dir=tmp_path,
        database_url=database_url,
        redis_url="",
        public_url="http://127.0.0.1:8000",
        secret_keys=[SecretStr(KEY)],
        strava_client_id=1,
        strava_client_secret=SecretStr("simulated"),
        strava_site_url=strava_url,
        strava_api_url=f"{strava_url}/api/v3",
        strava_verify_token=SecretStr("verify"),
        strava_webhook_secret=SecretStr("hook"),
        smtp_url=SecretStr("smtp://127.0.0.1:1"),  # nobody listens there
    )


@pytest.fixture
def runtime(
    settings: Settings, clock: HandClock, queue: RecordingQueue
) -> Generator[Runtime]:
    db = Database(connect(settings.sql_url), queue, clock=clock)
    yield Runtime(
        settings=settings,
        db=db,
        queue=queue,
        # The budget's windows must turn with the clock that the world goes by.
        strava=HttpStrava(settings, budget=Budget("", clock=clock)),
        sealer=Sealer([KEY]),
        now=clock,
    )
    db.close()


@pytest.fixture
def stage(
    world: World, runtime: Runtime, clock: HandClock, queue: RecordingQueue
) -> Stage:
    return Stage(world, runtime, clock, queue)
