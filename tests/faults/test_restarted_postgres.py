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
from sync.strava import Lane, NotARun, RemoteRun
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.conftest import migrate
from tests.support.harness import Stage
from tests.support.postgres import Server
from tests.support.servers import PATIENCE_S, free_port
from tests.support.table_comparison import ours, theirs

pytestmark = pytest.mark.processes


@pytest.fixture
def server() -> Iterator[Server]:
    home = Path(mkdtemp(prefix="moodmiles-postgres-"))
    server = Server(home, free_port())
    server.start()
    yield server
    server.stop()
    rmtree(home, ignore_errors=True)


@pytest.fixture
def database_url(server: Server) -> str:
    url = server.url.replace("postgresql://", "postgresql+psycopg://")
    migrate(url)
    return url


def test_work_goes_on_after_a_restart(stage: Stage, server: Server) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=2)
    runs = [stage.run(athlete, ended_minutes_ago=40 * number) for number in (1, 2)]
    stage.tell(athlete, runs[0].id, "create")

    server.stop()
    with pytest.raises(SQLAlchemyError):  # no acknowledgement without a row
        stage.tell(athlete, runs[1].id, "create")
    server.start()
    stage.tell(athlete, runs[1].id, "create")
    stage.work()

    assert ours(stage) == theirs(stage.world)


class Held(HttpStrava):
    """Holds Strava's answers back until it is let go."""

    def __init__(self, settings: Settings, *, budget: Budget) -> None:
        super().__init__(settings, budget=budget)
        self.has_answered, self.let_go = Event(), Event()

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> RemoteRun | NotARun:
        found = super().run(access_token, run_id, lane=lane)
        self.has_answered.set()
        self.let_go.wait(PATIENCE_S)
        return found


def test_a_worker_whose_database_went_while_strava_answered(
    stage: Stage, server: Server
) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=2)
    run = stage.run(athlete)
    stage.tell(athlete, run.id, "create")
    strava = Held(stage.runtime.settings, budget=Budget("", clock=stage.clock))
    runtime = replace(stage.runtime, strava=strava)
    troubles: list[Exception] = []

    def work() -> None:
        try:
            handle.drain(runtime)
        except SQLAlchemyError as error:
            troubles.append(error)

    worker = Thread(target=work)
    worker.start()
    assert strava.has_answered.wait(PATIENCE_S)
    server.stop()
    strava.let_go.set()
    worker.join()
    server.start()
    stage.pass_time(minutes=6)
    stage.work()

    assert len(troubles) == 1
    assert ours(stage) == theirs(stage.world)
