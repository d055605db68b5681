"""PgBouncer in transaction mode: each transaction may have another server process."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from subprocess import Popen

import psycopg
import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import DBAPIError

from host.checks import check_database
from host.database import MigrationState
from host.expiry_checks import Outdated
from sync.database import Database, lock_name, lock_runner, open_engine
from sync.models import Runner
from sync.settings import Settings
from tests.support.harness import Harness
from tests.support.paths import ROOT
from tests.support.poolers import find_pgbouncer, run_pgbouncer
from tests.support.recording_queue import RecordingQueue
from tests.support.servers import TIMEOUT_S

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.processes,
    pytest.mark.skipif(not find_pgbouncer(), reason="pgbouncer is not installed"),
]

# A statement is prepared after it was sent five times.
N_TIMES = 8
PROGRAM = """
import sys
from host.database import MigrationState
MigrationState(sys.argv[1]).upgrade()
"""


@pytest.fixture
def pooled_url(postgres_url: str) -> Iterator[str]:
    with run_pgbouncer(postgres_url, pool_mode="transaction") as url:
        yield url


def read_settings(url: str, pool_mode: str = "transaction") -> Settings:
    return Settings.model_validate(
        {"database_url": url, "database_pool_mode": pool_mode}
    )


def work(url: str) -> None:
    """Let two processes send each kind of what ours send, in turns, many times."""
    databases = [Database(open_engine(url), RecordingQueue()) for _ in range(2)]
    try:
        for send in (send_transaction, send_alone, read_snapshot):
            for number in range(N_TIMES):
                for database in databases:
                    send(database, f"name {number}")
    finally:
        for database in databases:
            database.close()


def send_transaction(database: Database, name: str) -> None:
    with database.transaction() as session:
        assert not lock_runner(session, -1)
        lock_name(session, name)
        assert database.now(session).year > 2000


def send_alone(database: Database, _name: str) -> None:
    statement = select(Runner.id).where(Runner.id == -1)
    assert database.execute_autocommit(statement, {}) == []


def read_snapshot(database: Database, _name: str) -> None:
    with database.read_only() as session:
        assert session.scalars(select(Runner.id).where(Runner.id < 0)).all() == []
        mode = session.scalar(text("SHOW transaction_isolation"))
        assert mode == "repeatable read"


def test_with_the_setting_everything_works(pooled_url: str) -> None:
    work(read_settings(pooled_url).sql_url)


def test_without_the_setting_statements_are_missed(pooled_url: str) -> None:
    """Otherwise the test above would show nothing."""
    with pytest.raises(DBAPIError, match="prepared statement"):
        work(read_settings(pooled_url, "session").sql_url)


def test_a_pooler_that_keeps_connections_needs_no_setting(postgres_url: str) -> None:
    with run_pgbouncer(postgres_url, pool_mode="session") as url:
        engine = open_engine(read_settings(url, "session").sql_url)
        with engine.connect() as connection:
            for _ in range(N_TIMES):
                assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()


def test_migrations_wait_for_each_other_through_a_pooler(pooled_url: str) -> None:
    with psycopg.connect(pooled_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE unmigrated")
    url = make_url(pooled_url).set(database="unmigrated").render_as_string()
    tables = read_settings(url).sql_url
    starts = [
        Popen([sys.executable, "-c", PROGRAM, tables], cwd=ROOT)  # noqa: S603
        for _ in range(2)
    ]

    assert [start.wait(TIMEOUT_S) for start in starts] == [0, 0]

    assert MigrationState(tables).is_current()
    with psycopg.connect(url) as connection:
        counted = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchone()
    assert counted == (0,)


def test_doctor_sees_a_pooler_that_no_setting_names(
    pooled_url: str, postgres_url: str
) -> None:
    with pytest.raises(Outdated, match="MOODMILES_DATABASE_POOL_MODE=transaction"):
        check_database(read_settings(pooled_url, "session"))

    for settings in (read_settings(pooled_url), read_settings(postgres_url, "session")):
        assert "tables up to date" in check_database(settings)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_run_is_asked_about_through_a_pooler(
    pooled_url: str, harness: Harness
) -> None:
    engine = open_engine(read_settings(pooled_url).sql_url)
    runtime = harness.runtime
    database = Database(engine, runtime.queue, clock=runtime.now)
    pooled = Harness(
        harness.world, replace(runtime, db=database), harness.clock, harness.queue
    )
    athlete = pooled.add_athlete()
    pooled.link_runner(athlete)
    for _ in range(N_TIMES):
        activity = pooled.finish_run(
            athlete, distance_m=8200, moving_s=2700, ended_minutes_ago=5
        )
        assert pooled.deliver_event(athlete, activity.id, "create")
        pooled.process_all_due()
        pooled.advance_clock(hours=30)
    engine.dispose()

    with runtime.db.read_only() as session:
        assert session.scalar(text("SELECT count(*) FROM run")) == N_TIMES
        assert session.scalar(text("SELECT count(*) FROM survey")) > 1
