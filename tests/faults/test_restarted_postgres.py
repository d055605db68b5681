"""PostgreSQL restarted in mid-work: what was acknowledged is stored, work goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event, Thread

import pytest
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from sync.inbox import handle
from sync.settings import Settings
from sync.strava import Activity, Lane
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.conftest import migrate
from tests.support.harness import Harness
from tests.support.postgres import PostgresServer
from tests.support.servers import TIMEOUT_S, free_port
from tests.support.table_comparison import expected_rows, stored_rows

pytestmark = pytest.mark.processes


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    home = Path(mkdtemp(prefix="moodmiles-postgres-"))
    server = PostgresServer(home, free_port())
    server.start()
    yield server
    server.stop()
    rmtree(home, ignore_errors=True)


@pytest.fixture
def database_url(server: PostgresServer) -> str:
    url = server.url.replace("postgresql://", "postgresql+psycopg://")
    migrate(url)
    return url


def test_work_goes_on_after_a_restart(harness: Harness, server: PostgresServer) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=2)
    runs = [
        harness.finish_run(athlete, ended_minutes_ago=40 * number) for number in (1, 2)
    ]
    harness.deliver_event(athlete, runs[0].id, "create")

    server.stop()
    with pytest.raises(SQLAlchemyError):  # no acknowledgement without a row
        harness.deliver_event(athlete, runs[1].id, "create")
    server.start()
    harness.deliver_event(athlete, runs[1].id, "create")
    harness.process_all_due()

    assert stored_rows(harness) == expected_rows(harness.world)


class BlockingStrava(HttpStrava):
    """Holds Strava's answers back until it is let go."""

    def __init__(self, settings: Settings, *, budget: Budget) -> None:
        super().__init__(settings, budget=budget)
        self.has_answered, self.let_go = Event(), Event()

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        record = super().run(access_token, run_id, lane=lane)
        self.has_answered.set()
        self.let_go.wait(TIMEOUT_S)
        return record


def test_a_worker_whose_database_went_while_strava_answered(
    harness: Harness, server: PostgresServer
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=2)
    run = harness.finish_run(athlete)
    harness.deliver_event(athlete, run.id, "create")
    strava = BlockingStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )
    runtime = replace(harness.runtime, strava=strava)
    troubles: list[Exception] = []

    def work() -> None:
        try:
            handle.process_due(runtime)
        except SQLAlchemyError as error:
            troubles.append(error)

    worker = Thread(target=work)
    worker.start()
    assert strava.has_answered.wait(TIMEOUT_S)
    server.stop()
    strava.let_go.set()
    worker.join()
    server.start()
    harness.advance_clock(minutes=6)
    harness.process_all_due()

    assert len(troubles) == 1
    assert stored_rows(harness) == expected_rows(harness.world)
