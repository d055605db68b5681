"""Fixtures: real tables, a simulated Strava on a real socket, a hand-set clock."""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from playwright.sync_api import Browser
from pydantic import SecretStr
from sqlalchemy import Engine, text

from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.models import Model
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import App
from sync.simulator.world import World
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.browser import launch_chromium
from tests.support.clock import ManualClock
from tests.support.harness import Harness
from tests.support.isolation import isolate_environment
from tests.support.markers import (
    pytest_collection_modifyitems,
    pytest_runtest_setup,
    pytest_runtest_teardown,
)
from tests.support.ownership import watch_statements
from tests.support.postgres import provide_postgres
from tests.support.recording_queue import RecordingQueue
from tests.support.shared_templates import SharedEnvironment, SharedRule
from tests.support.strava_server import SharedStravaServer

# pytest looks for hooks in this file.
__all__ = [
    "pytest_collection_modifyitems",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
]

isolate_environment(os.environ)
# A property holds or fails the same way each time, however busy the machine is;
# `--hypothesis-profile=default` looks for new examples.
hypothesis.register_profile(
    "moodmiles",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis.load_profile("moodmiles")

KEY = "a key for tests that is long enough"
LARGE_BYTES = 1_000_000
# To delete from empty tables takes a hundredth of what it takes to TRUNCATE them;
# only what a test made large is cut, since rows that were deleted are still read.
_SELECT_LARGE_TABLES = """
    SELECT relname FROM pg_class
    WHERE relname = ANY(:names) AND relnamespace = current_schema()::regnamespace
    AND pg_total_relation_size(oid) > :bytes
"""
_RESET_SEQUENCES = """
    SELECT setval(sequencename::regclass, start_value, false) FROM pg_sequences
    WHERE schemaname = current_schema() AND last_value IS NOT NULL
"""


def pytest_collection_finish() -> None:
    """Let no later collection look through what is here to stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def migrate(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", "sync:migrations")
    config.attributes["url"] = url
    command.upgrade(config, "head")


@pytest.fixture(scope="session")
def unowned_statements() -> list[str]:
    found: list[str] = []
    watch_statements(found)
    return found


@pytest.fixture(autouse=True)
def every_statement_says_whose_rows(unowned_statements: list[str]) -> Iterator[None]:
    """Fail a test in which we took runners' rows without saying whose."""
    yield
    found = sorted(set(unowned_statements))
    unowned_statements.clear()
    assert found == []


@pytest.fixture(scope="session", autouse=True)
def shared_compilation() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_environment", SharedEnvironment)
        patch.setattr(Flask, "url_rule_class", SharedRule)
        yield


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    """Start one browser for all tests; each opens a profile of its own in it."""
    with launch_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate once; each test gets its own copy of the empty tables."""
    path = tmp_path_factory.mktemp("template") / "empty.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with provide_postgres() as url:
        psycopg = url.replace("postgresql://", "postgresql+psycopg://")
        migrate(psycopg)
        yield psycopg


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture
def sqlite_url(sqlite_template: Path, sqlite_folder: Path) -> str:
    """Give empty tables, always at the same address."""
    path = sqlite_folder / "moodmiles.sqlite3"
    for stale_path in sqlite_folder.iterdir():
        stale_path.unlink()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test or a package's own conftest asks for both."""
    return prepare_empty_database(request, getattr(request, "param", "sqlite"))


def prepare_empty_database(request: pytest.FixtureRequest, kind: str) -> str:
    """Give the address of tables that a test finds empty."""
    if kind == "postgresql":
        return empty_postgres(request.getfixturevalue("postgres_url"))
    url: str = request.getfixturevalue("sqlite_url")
    return url


def empty_postgres(url: str) -> str:
    """Empty a shared PostgreSQL before the next test uses it."""
    engine = get_engine(url)
    names = [table.name for table in reversed(Model.metadata.sorted_tables)]
    with engine.begin() as connection:
        large = {"names": names, "bytes": LARGE_BYTES}
        for name in connection.scalars(text(_SELECT_LARGE_TABLES), large).all():
            connection.execute(text(f"TRUNCATE {name} CASCADE"))
        deletes = (f"DELETE FROM {name}" for name in names)  # noqa: S608 - our own
        connection.exec_driver_sql(";".join(deletes))
        connection.exec_driver_sql(_RESET_SEQUENCES)
    engine.dispose()
    return url


@cache
def get_engine(url: str) -> Engine:
    """Give the tests of one address one engine: it keeps what it has compiled."""
    return open_engine(url)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.fixture
def world(clock: ManualClock) -> Iterator[World]:
    world = World(clock=clock)
    with world.transaction():
        world.put_singleton(App(client_id="1", client_secret="simulated"))
    yield world
    world.close()


@pytest.fixture(scope="session")
def strava_server() -> Iterator[SharedStravaServer]:
    server = SharedStravaServer()
    yield server
    server.close()


@pytest.fixture
def strava_url(strava_server: SharedStravaServer, world: World) -> Iterator[str]:
    with strava_server.serve_world(world) as url:
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
    settings: Settings, clock: ManualClock, queue: RecordingQueue
) -> Generator[Runtime]:
    db = Database(get_engine(settings.sql_url), queue, clock=clock)
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
def harness(
    world: World, runtime: Runtime, clock: ManualClock, queue: RecordingQueue
) -> Harness:
    return Harness(world, runtime, clock, queue)
