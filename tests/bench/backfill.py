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
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from stravalib import Client
from typing_extensions import override

from sync.crypto import Sealer
from sync.database import Database, connect, insert
from sync.models import Backfill, Run
from sync.runs import backfill
from sync.runs.rules import columns
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava import RemoteRun
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.strava.parse import parse
from tests.bench.baked import PAGE, serving
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


def floor(api_url: str, database_url: str) -> None:
    engine, http, page = connect(database_url), requests.Session(), 0
    while True:
        page += 1
        asked = {"page": page, "per_page": PAGE}
        answer = http.get(f"{api_url}/athlete/activities", params=asked, timeout=20)
        records = answer.json()
        if not records:
            return
        rows = [_row(record) for record in records]
        with Session(engine) as session, session.begin():
            statement = insert(session, Run.__table__)
            kept = {name: statement.excluded[name] for name in rows[0]}
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["source", "source_id"], set_=kept
                ),
                rows,
            )


def _row(record: dict[str, Any]) -> dict[str, Any]:
    run = parse(record)
    assert isinstance(run, RemoteRun)
    return columns(run) | {"runner_id": RUNNER, "fetched_at": NOON}


class _ToUs(HTTPAdapter):
    """Leads the library, which knows one address only, to the baked pages."""

    api_url = ""

    @override
    def send(self, request: requests.PreparedRequest, **options: Any) -> Any:  # type: ignore[override]
        asked = (request.url or "").removeprefix("https://www.strava.com/api/v3")
        request.url = self.api_url + asked
        return super().send(request, **options)


def library(api_url: str, database_url: str) -> None:
    http, engine = requests.Session(), connect(database_url)
    adapter = _ToUs()
    adapter.api_url = api_url
    http.mount("https://www.strava.com/", adapter)
    client = Client("token", rate_limit_requests=False, requests_session=http)
    with Session(engine) as session, session.begin():
        for number, one in enumerate(client.get_activities(limit=0)):
            row = _row(json.loads(one.model_dump_json()) | _as_sent(one))
            session.merge(Run(id=number + 1, **row))


def _as_sent(one: Any) -> dict[str, Any]:
    return {
        "start_date": f"{one.start_date:%Y-%m-%dT%H:%M:%SZ}",
        "start_date_local": f"{one.start_date_local:%Y-%m-%dT%H:%M:%SZ}",
        "sport_type": one.sport_type.root,
        "timezone": str(one.timezone),
        "utc_offset": 0.0,
        "athlete_count": 1,
        "visibility": "everyone",
    }


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
