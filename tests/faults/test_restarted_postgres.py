"""PostgreSQL restarted in mid-work: what was acknowledged is stored, work goes on."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Thread

import pytest
from sqlalchemy.exc import SQLAlchemyError

from sync.inbox import handle
from sync.simulator.records import Fault
from tests.conftest import migrate
from tests.faults.mirror import ours, theirs
from tests.postgres import Server
from tests.servers import free_port, wait_for
from tests.stage import Stage

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


def test_a_worker_whose_database_went_while_strava_answered(
    stage: Stage, server: Server
) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=2)
    run = stage.run(athlete)
    stage.tell(athlete, run.id, "create")
    with stage.world.change():
        stage.world.faults.put(
            Fault(id=1, kind="slow", seconds=1.5, on="detail", times=1)
        )
    before = stage.reads()
    troubles: list[Exception] = []

    def work() -> None:
        try:
            handle.drain(stage.runtime)
        except SQLAlchemyError as error:
            troubles.append(error)

    worker = Thread(target=work)
    worker.start()
    wait_for(lambda: stage.reads() > before)
    server.stop()
    worker.join()
    server.start()
    stage.pass_time(minutes=6)
    stage.work()

    assert len(troubles) == 1
    assert ours(stage) == theirs(stage.world)
