"""What five greedy readers leave to others: `python -m tests.lab.bench.reading`.

Five signed-in runners with 10,000 runs and 7,000 answers each, eight clients for each
of them, on the costliest addresses, as fast as they are answered.  Beside them one
visitor opens the start page, and Strava sends events.  The times are those of this
machine; the aim is that the page's 95th percentile stays below 200 ms and that no
event waits for 2 s.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep

from sync.runners import sign_in
from sync.runtime import Runtime
from sync.standins.fixtures.run_history import RunHistory, create_runner, store_history
from tests.lab.bench.measured_instance import cpu_s
from tests.lab.bench.standalone_harness import open_harness
from tests.support.servers import run_valkey
from tests.support.web_process import WebProcess, run_web

RUNNERS, CLIENTS_EACH = 5, 8
HISTORY = RunHistory(runs=10_000, answers=7_000)
QUIET_S, LOADED_S, PAUSE_S = 5, 65, 0.05  # more than a minute: the limits' window
PATHS = (
    "/dashboard/data.json",
    "/dashboard/read-outs.json?period=all",
    "/dashboard/runs.csv",
    "/dashboard/answers.csv",
    "/dashboard?page=2&sort=best",
    "/runs/{run_id}",
    "/settings",
)


def main() -> None:
    print(f"{RUNNERS} runners, {CLIENTS_EACH} clients each\n")
    print("| who | n | p50 | p95 | longest |\n|---|---|---|---|---|")
    with (
        TemporaryDirectory() as folder,
        run_valkey() as redis,
        open_harness(Path(folder)) as harness,
    ):
        past = datetime.now(UTC) - harness.clock()
        harness.advance_clock(seconds=past.total_seconds())
        tokens = [add_runner(harness.runtime, number) for number in range(RUNNERS)]
        with run_web(Path(folder), redis_url=redis.url) as web:
            watch(web, "", QUIET_S)
            with read_greedily(web, tokens) as statuses:
                watch(web, "beside the readers: ", LOADED_S)
    print()
    for (path, status), count in sorted(statuses.items()):
        print(f"{path} {status}: {count} times")


def add_runner(runtime: Runtime, number: int) -> str:
    """Store a runner with a long past, and return the token of a sign-in."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner = create_runner(runtime, session, number, now=now, has_email=False)
        store_history(runtime, session, runner, HISTORY, now=now)
        runner_id = runner.id
    return sign_in.sign_in(runtime, runner_id)


@contextmanager
def read_greedily(
    web: WebProcess, tokens: list[str]
) -> Iterator[Counter[tuple[str, int]]]:
    """Let all clients read until the block ends; count their answers by status."""
    statuses: Counter[tuple[str, int]] = Counter()
    is_over = Event()

    def read(token: str, number: int) -> None:
        cookie = {"Cookie": f"moodmiles-{web.port}={token}", "Accept-Encoding": "gzip"}
        for path in cycle(PATHS[number % len(PATHS) :] + PATHS):
            if is_over.is_set():
                return
            try:
                answer = web.ask(path.format(run_id=number + 1), headers=cookie)
                statuses[path, answer.status] += 1
            except OSError:
                statuses[path, 0] += 1

    readers = [
        Thread(target=read, args=(token, number))
        for token in tokens
        for number in range(CLIENTS_EACH)
    ]
    for reader in readers:
        reader.start()
    yield statuses
    is_over.set()
    for reader in readers:
        reader.join()


def watch(web: WebProcess, name: str, seconds: float) -> None:
    """Open the start page and send events for a while; print how long each took."""
    asks: dict[str, Callable[[], int]] = {
        "start page": lambda: web.ask("/").status,
        "event": lambda: web.send_event().status,
    }
    waits_ms: dict[str, list[float]] = {kind: [] for kind in asks}
    [pid] = web.list_workers()
    began, worked_s = perf_counter(), cpu_s(pid)
    while perf_counter() - began < seconds:
        for kind, ask in asks.items():
            asked = perf_counter()
            assert ask() == 200
            waits_ms[kind].append(1000 * (perf_counter() - asked))
        sleep(PAUSE_S)
    for kind, waits in waits_ms.items():
        p95, p50 = quantiles(waits, n=20)[-1], quantiles(waits, n=2)[0]
        print(
            f"| {name}{kind} | {len(waits)} | {p50:.0f} ms | {p95:.0f} ms "
            f"| {max(waits):.0f} ms |"
        )
    busy = (cpu_s(pid) - worked_s) / (perf_counter() - began)
    print(f"| web process busy | | {busy:.0%} | | |", flush=True)


if __name__ == "__main__":
    main()
