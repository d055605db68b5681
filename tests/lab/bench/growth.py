"""What one event costs as the tables grow: `python -m tests.lab.bench.growth`.

The same new run is told and worked off with 10, 1,000 and 10,000 other runners
in PostgreSQL; the cost must stay flat.  The three take turns event by event, so
that whatever else this machine does is the same to all, and computing counts:
ours (with that of the simulated Strava) and the database's.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from sqlalchemy import text
from typing_extensions import override

from sync.database import connect
from sync.simulator.records import Athlete
from tests.lab.bench.measured_instance import cpu_s
from tests.lab.bench.standalone_harness import staged
from tests.support.harness import Stage
from tests.support.postgres import postgres
from tests.sync.test_query_plans import fill, statements

STEPS = (10, 1_000, 10_000)
EVENTS = 100
FLAT = 1.2


class Place:
    """One database with so many runners, and what the events there have cost."""

    def __init__(self, stage: Stage, runners: int) -> None:
        self.runners = runners
        self._stage = stage
        self._athlete = _linked(stage)
        fill(stage, runners=runners)
        self._waits_ms: list[float] = []
        self._cpu_ms: list[float] = []
        self._statements: list[int] = []
        self._began_s = self._database_s()

    def event(self) -> None:
        """Tell of a new run and work it off, against three clocks."""
        self._stage.pass_time(hours=7)
        run = self._stage.run(self._athlete)
        with statements(self._stage.runtime.db.engine) as noted:
            began, began_cpu = perf_counter(), process_time()
            self._stage.tell(self._athlete, run.id, "create")
            self._stage.work()
            self._waits_ms.append((perf_counter() - began) * 1000)
            self._cpu_ms.append((process_time() - began_cpu) * 1000)
        self._statements.append(len(noted))

    @property
    def cost_ms(self) -> float:
        """The computing of one event: the median of ours, the mean of PostgreSQL's."""
        return median(self._cpu_ms) + self._database_ms

    @property
    def _database_ms(self) -> float:
        return (self._database_s() - self._began_s) * 1000 / EVENTS

    def _database_s(self) -> float:
        """Return what PostgreSQL has computed for this database's connections."""
        with self._stage.runtime.db.engine.connect() as connection:
            pids = connection.scalars(
                text(
                    "SELECT pid FROM pg_stat_activity"
                    " WHERE datname = current_database()"
                )
            ).all()
        return sum(cpu_s(pid) for pid in pids)

    @override
    def __str__(self) -> str:
        return (
            f"{self.runners:6} runners: {median(self._waits_ms):5.1f} ms an event, "
            f"{median(self._cpu_ms):5.1f} ms of our computing, "
            f"{self._database_ms:4.1f} ms of PostgreSQL's, "
            f"{median(self._statements):.0f} statements"
        )


def main() -> int:
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        places = [_place(stack, server, runners) for runners in STEPS]
        for _ in range(EVENTS):
            for place in places:
                place.event()
        print(*places, sep="\n")
        growth = places[-1].cost_ms / places[0].cost_ms
    print(f"{growth:.2f} times the cost of the smallest")
    return int(growth > FLAT)


def _place(stack: ExitStack, server: str, runners: int) -> Place:
    name = f"with_{runners}_runners"
    engine = connect(_psycopg(server))
    with engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    folder = Path(stack.enter_context(TemporaryDirectory()))
    url = _psycopg(server.rpartition("/")[0] + f"/{name}")
    return Place(stack.enter_context(staged(folder, database_url=url)), runners)


def _linked(stage: Stage) -> Athlete:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    return athlete


def _psycopg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


if __name__ == "__main__":
    sys.exit(main())
