"""An import beside the floor and the library: `python -m tests.bench.backfill`.

The floor is one session, JSON and one upsert a page; the library is stravalib's
iterator with a merge for each row.  Strava's pages are baked beforehand, so that
the stand-in costs next to nothing, and every contender is a process of its own.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from typing_extensions import override

from sync.crypto import Sealer
from sync.database import Database, connect
from sync.models import Backfill, Run
from sync.runs import backfill
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.bench.baked import serving
from tests.bench.baselines import floor, library
from tests.bench.linked import RUNNER, add_linked
from tests.bench.staged import quiet
from tests.clock import NOON, HandClock
from tests.conftest import KEY, emptied, migrate
from tests.postgres import postgres
from tests.queues import RecordingQueue

ROUNDS = 3
COUNTS = (1_000, 10_000, 50_000)


def ours(api_url: str, database_url: str) -> None:
    settings = Settings.model_construct(
        strava_client_id=1, strava_api_url=api_url, redis_url=""
    )
    clock, queue = HandClock(NOON), RecordingQueue()
    runtime = Runtime(
        settings=settings,
        db=Database(connect(database_url), queue, clock=clock),
        queue=queue,
        strava=_unlimited(settings, clock),
        sealer=Sealer([KEY]),
        now=clock,
    )
    # A shift ends after 20 seconds; the queue would wake the next one.
    while _is_unfinished(runtime):
        backfill.drain(runtime)


def _unlimited(settings: Settings, clock: HandClock) -> HttpStrava:
    # By the same clock: else the end of a real quarter is waited for in vain.
    strava = HttpStrava(settings, budget=Budget("", clock=clock))
    strava.budget.learn(
        {
            "X-RateLimit-Limit": "1000000,1000000",
            "X-RateLimit-Usage": "0,0",
            "X-ReadRateLimit-Limit": "1000000,1000000",
            "X-ReadRateLimit-Usage": "0,0",
        }
    )
    return strava


def _is_unfinished(runtime: Runtime) -> bool:
    with runtime.db.reading() as session:
        return bool(session.scalar(select(Backfill.due_at)))


CONTENDERS: dict[str, Callable[[str, str], None]] = {
    "ours": ours,
    "floor": floor,
    "library": library,
}


@dataclass(frozen=True, slots=True)
class Effort:
    """What one import took; on a busy machine the processor's time tells more."""

    wall_s: float
    cpu_s: float
    memory_mb: float

    def best(self, other: "Effort") -> "Effort":
        return Effort(*map(min, astuple(self), astuple(other)))

    @override
    def __str__(self) -> str:
        return (
            f"{self.wall_s:6.2f} s, {self.cpu_s:6.2f} s of it computing, "
            f"{self.memory_mb:4.0f} MB at most"
        )


def contend(name: str, api_url: str, database_url: str) -> None:
    """Run one contender in this process and print its effort and its rows."""
    quiet()
    began, began_cpu = perf_counter(), process_time()
    CONTENDERS[name](api_url, database_url)
    took = perf_counter() - began, process_time() - began_cpu
    # Unlike `getrusage` this forgets what the parent process had used.
    status = dict(
        line.split(":", 1)
        for line in Path("/proc/self/status").read_text().splitlines()
    )
    memory_mb = int(status["VmHWM"].split()[0]) / 1024
    with Session(connect(database_url)) as session:
        rows = session.scalar(select(func.count()).select_from(Run))
    print(json.dumps([*took, memory_mb, rows]))


def prepare(database_url: str) -> None:
    """Put in the runner whose import is due, as linking would."""
    with Session(connect(database_url)) as session, session.begin():
        add_linked(session)
        session.add(
            Backfill(runner_id=RUNNER, before=NOON, due_at=NOON, started_at=NOON)
        )


def measure(name: str, api_url: str, fresh: Callable[[], str]) -> Effort:
    """Let a contender import into fresh tables, and see that all is there."""
    database_url = fresh()
    prepare(database_url)
    command = [sys.executable, "-m", "tests.bench.backfill"]
    said = subprocess.run(  # noqa: S603
        [*command, name, api_url, database_url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    *took, rows = json.loads(said.splitlines()[-1])
    assert rows == int(urlsplit(api_url).path[1:])
    return Effort(*took)


def main() -> int:
    with (
        TemporaryDirectory() as folder,
        postgres() as named,
        serving(COUNTS) as at,
    ):
        template, copy = Path(folder) / "empty", Path(folder) / "copy"
        migrate(f"sqlite:///{template}")
        shared = named.replace("postgresql://", "postgresql+psycopg://")
        migrate(shared)

        def sqlite() -> str:
            for old in Path(folder).glob("copy*"):
                old.unlink()
            shutil.copy(template, copy)
            return f"sqlite:///{copy}"

        for label, fresh in (
            ("SQLite", sqlite),
            ("PostgreSQL", lambda: emptied(shared)),
        ):
            _compare(label, f"{at}/10000", fresh)
        for count in COUNTS:
            print(f"{count:6} activities  {measure('ours', f'{at}/{count}', sqlite)}")
    return 0


def _compare(label: str, api_url: str, fresh: Callable[[], str]) -> None:
    """Print the best of some rounds; in each of them all take their turn."""
    found: dict[str, Effort] = {}
    for _ in range(ROUNDS):
        for name in CONTENDERS:
            effort = measure(name, api_url, fresh)
            found[name] = effort.best(found.get(name, effort))
    for name, effort in found.items():
        print(f"{label:10} {name:8} {effort}")
    ours, floor, library = (found[name] for name in CONTENDERS)
    print(
        f"{label:10} {ours.wall_s / floor.wall_s:.2f} times the floor "
        f"({ours.cpu_s / floor.cpu_s:.2f} computing), "
        f"{library.wall_s / ours.wall_s:.1f} times faster than the library "
        f"({library.cpu_s / ours.cpu_s:.1f})"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        contend(*sys.argv[1:])
    else:
        sys.exit(main())
