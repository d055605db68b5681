"""How fast events are acknowledged: `python -m tests.lab.bench.intake`.

The web as shipped, on SQLite and on PostgreSQL, beside a bare application with
one insert under the same server, each under an open load and then under more
than it can take.  Then 10,000 events at 500 a second: all must be acknowledged
within 2 seconds, each stored once.  In the end the web is killed again and again
under load: nothing that it acknowledged may be missing.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.database import open_engine
from sync.models import Event
from tests.conftest import KEY, migrate
from tests.lab.bench.linked_runner import add_linked
from tests.lab.bench.measured_instance import cpu_s, list_children
from tests.lab.bench.open_load import ATHLETES, OpenLoad
from tests.support.postgres import provide_postgres
from tests.support.servers import HOST, free_port, run_valkey, wait_until
from tests.support.strong_secrets import WEBHOOK_SECRET

RATES, STEP_S = (100, 300, 600, 900), 4
TOO_MANY, SOME = 20_000, 6_000
BURST_RATE, BURST, MOST_WAIT_S = 500, 10_000, 2
KILLS, KILL_RATE, KILL_AFTER_S = 4, 300, 1.5
OURS, BARE = "web.asgi:app", "tests.lab.bench.minimal_wsgi:served"
PATH = f"/hooks/strava/{WEBHOOK_SECRET}"


class IntakeServer:
    """A web server on one database; `numbers` gives each event its own."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.port = free_port()
        self.database_url = database_url
        self._environment = os.environ | {
            "MOODMILES_DATA_DIR": str(folder),
            "MOODMILES_DATABASE_URL": database_url,
            "MOODMILES_REDIS_URL": redis_url,
            "MOODMILES_SECRET_KEYS": KEY,
            "MOODMILES_STRAVA_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "MOODMILES_PUBLIC_URL": f"http://{HOST}:{self.port}",
        }
        self._used = 0

    @contextmanager
    def serving(self, app: str) -> Iterator[int]:
        """Serve as shipped until the block ends, and give the process's number."""
        call = f"serve({HOST!r}, {self.port}, processes=1, app={app!r})"
        program = f"from web.server import serve; {call}"
        server = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", program],
            env=self._environment,
            start_new_session=True,
        )
        wait_until(self._answers)
        try:
            yield server.pid
        finally:
            kill(server.pid)
            server.wait()

    def load(self, rate: float, numbers: Sequence[int]) -> OpenLoad:
        return OpenLoad(self.port, PATH).send(numbers, rate=rate)

    def numbers(self, count: int) -> range:
        self._used += count
        return range(self._used - count + 1, self._used + 1)

    def stored(self) -> set[int]:
        """Return the numbers of the stored events; a repeat would be an error."""
        with Session(open_engine(self.database_url)) as session:
            rows = session.scalars(select(Event.subject_id)).all()
        assert len(rows) == len(set(rows))
        return set(rows)

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://{HOST}:{self.port}/healthz", timeout=1).ok
        except requests.RequestException:
            return False


def kill(pid: int) -> None:
    """Kill a server with all its processes, as a machine's bad day would."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def main() -> int:
    return max(
        _all_of("SQLite", nullcontext("")), _all_of("PostgreSQL", provide_postgres())
    )


def _all_of(name: str, named: AbstractContextManager[str]) -> int:
    with TemporaryDirectory() as folder, run_valkey() as redis, named as shared:
        url = shared.replace("postgresql://", "postgresql+psycopg://")
        url = url or f"sqlite:///{Path(folder) / 'moodmiles.sqlite3'}"
        migrate(url)
        with Session(open_engine(url)) as session, session.begin():
            for number in range(ATHLETES):
                add_linked(session, number)
        web = IntakeServer(Path(folder), url, redis.url)
        with web.serving(BARE) as pid:
            measure_rising_load(f"{name}, bare", web, pid)
        bare = web.numbers(0).start
        with web.serving(OURS) as pid:
            measure_rising_load(f"{name}, ours", web, pid)
            longest_s = measure_burst(web)
        missing = measure_killed_web(web)
        lost = set(range(bare, web.numbers(0).start)) - web.stored()
    print(f"{name}: {len(lost)} of all events are not stored")
    return int(bool(missing or lost) or longest_s > MOST_WAIT_S)


def measure_rising_load(name: str, web: IntakeServer, pid: int) -> None:
    """Print how an application stands more and more events."""
    web.load(RATES[0], web.numbers(RATES[0]))  # nobody is asked to be quick at once
    for rate in RATES:
        load = web.load(rate, web.numbers(rate * STEP_S))
        print(f"{name} {rate:6}/s  {load}")
    before_s = _cpu_s(pid)
    load = web.load(TOO_MANY, web.numbers(SOME))
    spent_ms = (_cpu_s(pid) - before_s) * 1000 / SOME
    print(f"{name}  limit: {SOME / load.took_s:.0f}/s, {spent_ms:.2f} ms CPU an event")


def measure_burst(web: IntakeServer) -> float:
    """Send what Strava may have saved up, and return the longest wait."""
    load = web.load(BURST_RATE, web.numbers(BURST))
    longest_s = max(load.waits_s)
    print(
        f"{BURST} at {BURST_RATE}/s  {load}  "
        f"{len(load.acknowledged)} acknowledged, the last after {longest_s:.2f} s"
    )
    return longest_s


def measure_killed_web(web: IntakeServer) -> int:
    """Kill the web under load; return how many acknowledged events are missing.

    What was not acknowledged comes again, as it would from Strava.
    """
    acknowledged: set[int] = set()
    missing: set[int] = set()
    resent: list[int] = []
    for _ in range(KILLS):
        with web.serving(OURS) as pid:
            web.load(KILL_RATE, resent)
            Timer(KILL_AFTER_S, kill, [pid]).start()
            numbers = web.numbers(int(KILL_RATE * KILL_AFTER_S * 2))
            load = web.load(KILL_RATE, numbers)
        acknowledged |= load.acknowledged
        missing |= load.acknowledged - web.stored()
        resent = sorted(set(numbers) - load.acknowledged)
    with web.serving(OURS):
        web.load(KILL_RATE, resent)
    print(
        f"killed {KILLS} times: {len(acknowledged)} acknowledged, "
        f"{len(missing)} of them missing"
    )
    return len(missing)


def _cpu_s(pid: int) -> float:
    return cpu_s(pid) + sum(_cpu_s(child) for child in list_children(pid))


if __name__ == "__main__":
    sys.exit(main())
