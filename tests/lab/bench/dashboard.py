"""How long the server works on a dashboard and on the claims, and their bytes.

Each is measured cold and warm, alone and among others.

Run it with `python -m tests.lab.bench.dashboard`. Cold is the first look after an
answer, when every figure is computed anew; warm is any later one. The times are
this process's own work (CPU), the whole wait stands beside them: on PostgreSQL
the difference is what the database did.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from flask.testing import FlaskClient
from sqlalchemy import update

from sync.models import Runner
from sync.runners import sign_in
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from sync.standins.fixtures.run_history import RunHistory, create_runner, store_history
from tests.conftest import empty_postgres
from tests.lab.bench.standalone_harness import open_harness
from tests.support.postgres import provide_postgres
from web.app import create_app
from web.gc_tuning import tune_gc

SCENES = ("answers-500", "runs-10000")
# What stands on each page.
PAGES = {"/dashboard": "Latest runs", "/claims": "How this was measured"}
OTHER_RUNNERS, RUNS_EACH = 1_000, 100
ROUNDS = 9
AIM_COLD_MS, AIM_WARM_MS = 150, 30


def main() -> None:
    print(f"aim: cold {AIM_COLD_MS} ms, warm {AIM_WARM_MS} ms; median of {ROUNDS}\n")
    print("| tables | runner | page | bytes (gzip) | cold CPU (all) | warm CPU (all) |")
    print("|---|---|---|---|---|---|")
    for name, build in (("SQLite", on_sqlite), ("PostgreSQL", on_postgres)):
        with build() as runtime:
            report(name, runtime)
            fill_with_others(runtime)
            report(f"{name}, {OTHER_RUNNERS} others", runtime)


@contextmanager
def on_sqlite() -> Iterator[Runtime]:
    with TemporaryDirectory() as folder, open_harness(Path(folder)) as harness:
        yield harness.runtime


@contextmanager
def on_postgres() -> Iterator[Runtime]:
    with TemporaryDirectory() as folder, provide_postgres() as address:
        url = address.replace("postgresql://", "postgresql+psycopg://")
        with open_harness(Path(folder), database_url=url) as harness:
            empty_postgres(url)
            yield harness.runtime


def report(name: str, runtime: Runtime) -> None:
    for scene_name in SCENES:
        fixture = build_fixture(runtime, scene_name)
        assert fixture.runner_id is not None
        client = sign_in_browser(runtime, fixture.runner_id)
        for path, words in PAGES.items():
            visit = open_page(client, path, words)
            visit()  # what is imported or compiled once is not a visit's work
            colds, warms = [], []
            for _ in range(ROUNDS):
                change_data(runtime, fixture.runner_id)
                colds.append(measure_ms(visit))
                warms.append(measure_ms(visit))
            print(
                f"| {name} | {scene_name} | {path} | {format_bytes(client, path)} | "
                f"{format_times(colds)} | {format_times(warms)} |",
                flush=True,
            )


def sign_in_browser(runtime: Runtime, runner_id: int) -> FlaskClient:
    client = create_app(runtime).test_client()
    tune_gc()  # as a web process does
    token = sign_in.sign_in(runtime, runner_id)
    client.set_cookie("moodmiles", token, domain="127.0.0.1")
    return client


def open_page(client: FlaskClient, path: str, words: str) -> Callable[[], None]:
    def visit() -> None:
        page = client.get(path)
        assert page.status_code == 200
        assert words in page.text

    return visit


def change_data(runtime: Runtime, runner_id: int) -> None:
    """Let all figures be out of date, as a new answer does."""
    with runtime.db.transaction() as session:
        session.execute(
            update(Runner)
            .where(Runner.id == runner_id)
            .values(data_version=Runner.data_version + 1)
        )


def measure_ms(work: Callable[[], None]) -> tuple[float, float]:
    """Return CPU and wall-clock milliseconds."""
    began, worked = perf_counter(), process_time()
    work()
    return 1000 * (process_time() - worked), 1000 * (perf_counter() - began)


def format_bytes(client: FlaskClient, path: str) -> str:
    plain = len(client.get(path).data)
    gzipped = len(client.get(path, headers={"Accept-Encoding": "gzip"}).data)
    return f"{plain} ({gzipped})"


def format_times(times: list[tuple[float, float]]) -> str:
    cpu, whole = (median(column) for column in zip(*times, strict=True))
    return f"{cpu:.0f} ({whole:.0f}) ms"


def fill_with_others(runtime: Runtime) -> None:
    first = 1_000
    for number in range(first, first + OTHER_RUNNERS):
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            runner = create_runner(runtime, session, number, now=now, has_email=False)
            history = RunHistory(runs=RUNS_EACH, answers=RUNS_EACH)
            store_history(runtime, session, runner, history, now=now)


if __name__ == "__main__":
    main()
