"""An import, from consent to nothing due: `python -m tests.lab.bench.backfill [N ...]`.

*Everything* begins when a runner comes back from Strava and ends when no table holds
anything that is due: each wake-up is acted on the moment it comes.  *Import* is the
reading of the list alone.  The floor is one session, JSON and one upsert a page; the
library is stravalib's iterator with a merge for each row.  Strava's pages are baked
beforehand, so that the stand-in costs next to nothing, and every contender is a
process of its own.  What is printed is the table of docs/syncing.md.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync import work_status
from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.models import Backfill, Decision, Run
from sync.queue import Job, Queue
from sync.runners import connect as linking
from sync.runs import backfill
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.surveys import store as surveys
from tests.conftest import KEY, empty_postgres, migrate
from tests.lab.bench.baselines import import_with_library, import_with_minimum
from tests.lab.bench.canned_strava import PAGE, serve_pages
from tests.lab.bench.dashboard import (
    PAGES,
    change_data,
    measure_ms,
    open_page,
    sign_in_browser,
)
from tests.lab.bench.linked_runner import RUNNER, add_linked
from tests.lab.bench.standalone_harness import silence_logging
from tests.support.clock import NOON, ManualClock
from tests.support.harness import ALL_CONSENTS, SCOPE, confirm_address
from tests.support.inline_queue import InlineQueue
from tests.support.postgres import provide_postgres
from tests.support.recording_queue import RecordingQueue

ROUNDS = {1_000: 3, 10_000: 3, 50_000: 1}


def run_full_import(api_url: str, database_url: str) -> float:
    """Link, and work until nothing is due; return when the first page was ready."""
    began = perf_counter()
    ready: list[float] = []

    def record_sample(_: Runtime) -> None:
        ready.append(perf_counter() - began)

    _run_from_consent(api_url, database_url, when_ready=record_sample)
    return ready[0]


def run_until_dashboard(api_url: str, database_url: str) -> float:
    """Look at the dashboard after the first page; return what drawing it takes."""
    took: list[float] = []

    def check_dashboard(runtime: Runtime) -> None:
        with runtime.db.read_only() as session:
            for table in (Run, Decision):
                assert _rows(session, table) == PAGE
        visit = open_page(
            sign_in_browser(runtime, RUNNER), "/dashboard", PAGES["/dashboard"]
        )
        visit()  # what is imported or compiled once is not a visit's work
        change_data(runtime, RUNNER)
        took.append(measure_ms(visit)[1] / 1000)

    _run_from_consent(api_url, database_url, when_ready=check_dashboard)
    return took[0]


def run_import_only(api_url: str, database_url: str) -> float:
    """Read the list alone; the rest of the work is left undone."""
    runtime = _runtime(api_url, database_url, RecordingQueue())
    # A shift ends after 20 seconds; the queue would wake the next one.
    while _is_unfinished(runtime):
        backfill.process_due(runtime)
    return 0


def _run_from_consent(
    api_url: str, database_url: str, *, when_ready: Callable[[Runtime], None]
) -> None:
    is_ready = False

    def after(work: Job) -> None:
        nonlocal is_ready
        if work is Job.SURVEYS and not is_ready:
            is_ready = True
            when_ready(runtime)

    queue = InlineQueue(after)
    runtime = queue.runtime = _runtime(api_url, database_url, queue)
    consent = linking.begin_link(
        runtime, browser="browser", given_consents=ALL_CONSENTS
    )
    state = parse_qs(urlsplit(consent).query)["state"][0]
    linking.finish_link(
        runtime, state=state, browser="browser", code="yes", scope=SCOPE
    )
    confirm_address(runtime, RUNNER)
    while True:
        for work in Job:  # as the schedule does every minute
            queue.wake(work)
        if _is_idle(runtime):
            return


def _runtime(api_url: str, database_url: str, queue: Queue) -> Runtime:
    settings = Settings.model_construct(
        database_url=database_url,
        secret_keys=[SecretStr(KEY)],
        strava_client_id=1,
        strava_client_secret=SecretStr("baked"),
        strava_site_url=api_url,
        strava_api_url=api_url,
        redis_url="",
        smtp_url=SecretStr("smtp://127.0.0.1:1"),  # nothing is to be sent
    )
    clock = ManualClock(NOON)
    return Runtime(
        settings=settings,
        db=Database(open_engine(database_url), queue, clock=clock),
        queue=queue,
        strava=_unlimited(settings, clock),
        sealer=Sealer([KEY]),
        now=clock,
    )


def _unlimited(settings: Settings, clock: ManualClock) -> HttpStrava:
    # By the same clock: else the end of a real quarter is waited for in vain.
    strava = HttpStrava(settings, budget=Budget("", clock=clock))
    strava.budget.update_from_headers(
        {
            "X-RateLimit-Limit": "1000000,1000000",
            "X-RateLimit-Usage": "0,0",
            "X-ReadRateLimit-Limit": "1000000,1000000",
            "X-ReadRateLimit-Usage": "0,0",
        }
    )
    return strava


def _is_unfinished(runtime: Runtime) -> bool:
    with runtime.db.read_only() as session:
        return bool(session.scalar(select(Backfill.due_at)))


def _is_idle(runtime: Runtime) -> bool:
    with runtime.db.read_only() as session:
        due = work_status.count_due(session, runtime.db.now(session)).due
        return not any(due.values()) and not surveys.find_waiting_runners(session)


def _rows(session: Session, table: type[Run | Decision]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


@dataclass(frozen=True, slots=True)
class Contender:
    """How one imports; the floor of `starts_linked` is not told of any consent."""

    name: str
    run: Callable[[str, str], float | None]
    starts_linked: bool = True
    decides: bool = False


CONTENDERS = {
    one.name: one
    for one in (
        Contender("everything", run_full_import, starts_linked=False, decides=True),
        Contender("dashboard", run_until_dashboard, starts_linked=False, decides=True),
        Contender("import", run_import_only),
        Contender("floor", import_with_minimum),
        Contender("library", import_with_library),
    )
}


@dataclass(frozen=True, slots=True)
class Effort:
    """What one import took; on a busy machine the processor's time tells more."""

    wall_s: float
    cpu_s: float
    memory_mb: float
    aside_s: float  # what the contender itself has measured

    def merge_best(self, other: "Effort") -> "Effort":
        return Effort(*map(min, astuple(self), astuple(other)))


def run_contender(name: str, api_url: str, database_url: str) -> None:
    """Run one contender in this process and print its effort and its rows."""
    silence_logging()
    contender = CONTENDERS[name]
    began, began_cpu = perf_counter(), process_time()
    aside_s = contender.run(api_url, database_url) or 0
    took = perf_counter() - began, process_time() - began_cpu
    # Unlike `getrusage` this forgets what the parent process had used.
    status = dict(
        line.split(":", 1)
        for line in Path("/proc/self/status").read_text().splitlines()
    )
    memory_mb = int(status["VmHWM"].split()[0]) / 1024
    with Session(open_engine(database_url)) as session:
        rows = _rows(session, Run), _rows(session, Decision)
    print(json.dumps([*took, memory_mb, aside_s, *rows]))


def prepare(database_url: str) -> None:
    """Put in the runner whose import is due, as linking would."""
    with Session(open_engine(database_url)) as session, session.begin():
        add_linked(session)
        session.add(
            Backfill(runner_id=RUNNER, before=NOON, due_at=NOON, started_at=NOON)
        )


def measure(
    contender: Contender, api_url: str, fresh: Callable[[], str], *, count: int
) -> Effort:
    """Let a contender import into fresh tables, and see that all is there."""
    database_url = fresh()
    if contender.starts_linked:
        prepare(database_url)
    command = [sys.executable, "-m", "tests.lab.bench.backfill", "contend"]
    output = subprocess.run(  # noqa: S603
        [*command, contender.name, f"{api_url}/{count}", database_url],
        stdout=subprocess.PIPE,
        env=os.environ | {"SILENCE_TOKEN_WARNINGS": "true"},  # stravalib's
        text=True,
        check=True,
    ).stdout
    *took, runs, decisions = json.loads(output.splitlines()[-1])
    assert (runs, decisions) == (count, count if contender.decides else 0)
    return Effort(*took)


def main(counts: list[int]) -> int:
    print(
        "| tables | activities | what | wall | computing | memory | times the floor "
        "(computing) | first page ready after, drawn in |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with serve_pages(counts) as api_url, _tables() as tables:
        for count in counts:
            for label, fresh in tables.items():
                for row in compare(api_url, fresh, count=count):
                    print(f"| {label} | {count:,} | {row} |", flush=True)
    return 0


def compare(api_url: str, fresh: Callable[[], str], *, count: int) -> list[str]:
    """Return a row for each; the best of some rounds, in which all take their turn."""
    efforts: dict[str, Effort] = {}
    for _ in range(ROUNDS.get(count, 1)):
        for name, contender in CONTENDERS.items():
            effort = measure(contender, api_url, fresh, count=count)
            efforts[name] = effort.merge_best(efforts.get(name, effort))
    drawn_ms = efforts.pop("dashboard").aside_s * 1000
    floor_effort = efforts["floor"]
    ready = f"{efforts['everything'].aside_s:.2f} s, {drawn_ms:.0f} ms"
    return [
        f"{name} | {effort.wall_s:.2f} s | {effort.cpu_s:.2f} s "
        f"| {effort.memory_mb:.0f} MB "
        f"| {effort.wall_s / floor_effort.wall_s:.2f} "
        f"({effort.cpu_s / floor_effort.cpu_s:.2f}) "
        f"| {ready if name == 'everything' else ''}"
        for name, effort in efforts.items()
    ]


@contextmanager
def _tables() -> Iterator[dict[str, Callable[[], str]]]:
    """Give for each database what returns the address of empty tables."""
    with TemporaryDirectory() as folder, provide_postgres() as named:
        template, copy = Path(folder) / "empty", Path(folder) / "copy"
        migrate(f"sqlite:///{template}")
        shared = named.replace("postgresql://", "postgresql+psycopg://")
        migrate(shared)

        def sqlite() -> str:
            for old in Path(folder).glob("copy*"):
                old.unlink()
            shutil.copy(template, copy)
            return f"sqlite:///{copy}"

        yield {"SQLite": sqlite, "PostgreSQL": lambda: empty_postgres(shared)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["contend"]:
        run_contender(*sys.argv[2:])
    else:
        sys.exit(main([int(count) for count in sys.argv[1:]] or [*ROUNDS]))
