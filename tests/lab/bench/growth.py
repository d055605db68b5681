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

from sync.database import open_engine
from sync.simulator.records import Athlete
from tests.lab.bench.measured_instance import cpu_s
from tests.lab.bench.standalone_harness import open_harness
from tests.support.harness import Harness
from tests.support.postgres import provide_postgres
from tests.sync.test_query_plans import fill_tables, record_statements

STEPS = (10, 1_000, 10_000)
EVENTS = 100
FLAT = 1.2


class GrowthSample:
    """One database with so many runners, and what the events there have cost."""

    def __init__(self, harness: Harness, runners: int) -> None:
        self.runners = runners
        self._stage = harness
        self._athlete = _add_linked_runners(harness)
        fill_tables(harness, runners=runners)
        self._waits_ms: list[float] = []
        self._cpu_ms: list[float] = []
        self._statements: list[int] = []
        self._began_s = self._database_s()

    def deliver_event(self) -> None:
        """Tell of a new run and work it off, against three clocks."""
        self._stage.advance_clock(hours=7)
        run = self._stage.finish_run(self._athlete)
        with record_statements(self._stage.runtime.db.engine) as statements_made:
            began, began_cpu = perf_counter(), process_time()
            self._stage.deliver_event(self._athlete, run.id, "create")
            self._stage.process_all_due()
            self._waits_ms.append((perf_counter() - began) * 1000)
            self._cpu_ms.append((process_time() - began_cpu) * 1000)
        self._statements.append(len(statements_made))

    @property
    def measure_cost_ms(self) -> float:
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
        server = stack.enter_context(provide_postgres())
        samples = [_build_sample(stack, server, runners) for runners in STEPS]
        for _ in range(EVENTS):
            for sample in samples:
                sample.deliver_event()
        print(*samples, sep="\n")
        growth = samples[-1].measure_cost_ms / samples[0].measure_cost_ms
    print(f"{growth:.2f} times the cost of the smallest")
    return int(growth > FLAT)


def _build_sample(stack: ExitStack, server: str, runners: int) -> GrowthSample:
    name = f"with_{runners}_runners"
    engine = open_engine(_psycopg(server))
    with engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    folder = Path(stack.enter_context(TemporaryDirectory()))
    url = _psycopg(server.rpartition("/")[0] + f"/{name}")
    return GrowthSample(
        stack.enter_context(open_harness(folder, database_url=url)), runners
    )


def _add_linked_runners(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    return athlete


def _psycopg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


if __name__ == "__main__":
    sys.exit(main())
