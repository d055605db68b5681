"""What one event costs as the tables grow: `python -m tests.bench.growth`.

The same new run is told and worked off with 10, 1,000 and 10,000 other runners
in a PostgreSQL; the cost must stay flat.
"""

import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.bench.staged import staged
from tests.postgres import postgres
from tests.stage import Stage
from tests.sync.test_query_plans import fill

STEPS = (10, 1_000, 10_000)
EVENTS = 40
FLAT = 1.5


def main() -> int:
    costs = []
    for runners in STEPS:
        with (
            TemporaryDirectory() as folder,
            postgres() as url,
            staged(Path(folder), database_url=_psycopg(url)) as stage,
        ):
            costs.append(cost_ms(stage, runners))
        print(f"{runners:6} runners: {costs[-1]:.1f} ms an event")
    print(f"{costs[-1] / costs[0]:.2f} times the cost of the smallest")
    return int(costs[-1] > FLAT * costs[0])


def cost_ms(stage: Stage, runners: int) -> float:
    """Return the median time from a told event to its decided run."""
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    fill(stage, runners=runners)
    found = []
    for _ in range(EVENTS):
        stage.pass_time(hours=1)
        run = stage.run(athlete)
        began = perf_counter()
        stage.tell(athlete, run.id, "create")
        stage.work()
        found.append((perf_counter() - began) * 1000)
    return median(found)


def _psycopg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


if __name__ == "__main__":
    sys.exit(main())
