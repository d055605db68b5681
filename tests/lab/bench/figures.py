"""How long the figures of one busy runner take, and where the time goes.

Run it with `python -m tests.lab.bench.figures`: 10,000 runs, 5,000 answers, on
SQLite and on PostgreSQL.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np
from sqlalchemy import insert, update

from sync.analytics import figures
from sync.analytics.dataset.build_history import HistoryContext, build_history
from sync.analytics.dataset.load import read_rows
from sync.analytics.panels.discovery import compare_all
from sync.analytics.sentences import store
from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.models import Answer, Model, Run, Runner
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.postgres import provide_postgres
from tests.support.recording_queue import RecordingQueue

RUNS, ANSWERS, ROUNDS = 10_000, 5_000, 9
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = timedelta(hours=1)
Result = TypeVar("Result")


def build_runtime(url: str) -> tuple[Runtime, int]:
    """Fill empty tables with one runner of thirty busy years."""
    sealer = Sealer(["a key for a bench that is long enough"])
    db = Database(open_engine(url), RecordingQueue(), clock=lambda: NOW)
    Model.metadata.create_all(db.engine)
    settings = Settings()
    strava = HttpStrava(settings, budget=Budget("", clock=lambda: NOW))
    runtime = Runtime(settings, db, RecordingQueue(), strava, sealer, lambda: NOW)
    random = np.random.default_rng(7)
    with db.transaction() as session:
        runner = Runner(
            created_at=NOW,
            vault_key=sealer.new_vault_key(),
            zone="Europe/Berlin",
        )
        session.add(runner)
        session.flush()
        vault = sealer.open_vault(runner.vault_key)
        session.execute(
            insert(Run),
            [build_run(runner.id, number, random) for number in range(1, RUNS + 1)],
        )
        answers = random.choice(np.arange(1, RUNS + 1), ANSWERS, replace=False)
        session.execute(
            insert(Answer),
            [
                build_answer(runner.id, int(number), vault.seal(draw_values(random)))
                for number in sorted(answers)
            ],
        )
        return runtime, runner.id


def build_run(
    runner_id: int, number: int, random: np.random.Generator
) -> dict[str, object]:
    started_at = NOW - timedelta(hours=26 * (RUNS - number) + 5)
    metres = float(random.gamma(4, 2200))
    return {
        "id": number,
        "runner_id": runner_id,
        "source": "strava",
        "source_id": number,
        "sport": "Run",
        "started_at": started_at,
        "start_known": True,
        "zone": "Europe/Berlin",
        "offset_s": 3600,
        "local_day": (started_at + ZONE).date(),
        "distance_m": metres,
        "moving_s": int(metres * 0.36),
        "elapsed_s": int(metres * 0.37),
        "treadmill": bool(random.random() < 0.1),
        "manual": False,
        "race": bool(random.random() < 0.02),
        "with_others": bool(random.random() < 0.3),
        "visibility": "everyone",
        "fetched_at": NOW,
    }


def draw_values(random: np.random.Generator) -> dict[str, int]:
    mood, stress, energy = random.integers(0, 5, 3)
    return {"mood": int(mood) - 2, "stress": int(stress), "energy": int(energy)}


def build_answer(runner_id: int, number: int, sealed: bytes) -> dict[str, object]:
    ended_at = NOW - timedelta(hours=26 * (RUNS - number) + 4)
    is_check_in = number % 5 == 0
    return {
        "runner_id": runner_id,
        "run_id": None if is_check_in else number,
        "kind": "checkin" if is_check_in else "run",
        "instrument": "run-1",
        "reversed_order": False,
        "answered_at": ended_at + timedelta(hours=(20 if is_check_in else 1)),
        "tags": {},
        "sealed": sealed,
    }


def measure(
    work: Callable[[], Result], clock: Callable[[], float] = perf_counter
) -> tuple[Result, float]:
    started = clock()
    result = work()
    return result, 1000 * (clock() - started)


def measure_cold(runtime: Runtime, runner_id: int) -> tuple[float, float]:
    """Time one look after a change: on the clock, and of this process alone."""
    with runtime.db.transaction() as session:
        session.execute(update(Runner).values(data_version=Runner.data_version + 1))
    started = process_time()
    _, on_the_clock = measure(lambda: figures.load_figures(runtime, runner_id))
    return on_the_clock, 1000 * (process_time() - started)


def measure_parts(
    runtime: Runtime, runner_id: int
) -> tuple[float, float, float, float]:
    """Time reading and opening, filling arrays, deciding, drawing: CPU milliseconds."""
    with runtime.db.read_only() as session:
        owner = store.load_runner_snapshot(session, runner_id)
        vault = runtime.sealer.open_vault(owner.vault_key)
        rows, reading = measure(
            lambda: read_rows(session, runner_id, vault), process_time
        )
        decisions = store.load_decisions(session, runner_id, vault)
    about = HistoryContext(
        owner.zone, asked_count=ANSWERS, today=date(2026, 11, 20).toordinal()
    )
    history, filling = measure(lambda: build_history(rows, context=about), process_time)
    panels, comparing = measure(lambda: compare_all(history), process_time)
    decided, deciding = measure(
        lambda: figures.decide_sentences(history, panels, decisions, now=NOW),
        process_time,
    )
    _, drawing = measure(
        lambda: figures.draw_panels(panels, decided, "km"), process_time
    )
    return reading, filling + comparing, deciding, drawing


def report(name: str, url: str) -> None:
    runtime, runner_id = build_runtime(url)
    first = measure(lambda: figures.load_figures(runtime, runner_id))[1]
    colds = np.median([measure_cold(runtime, runner_id) for _ in range(ROUNDS)], axis=0)
    warm = median(
        measure(lambda: figures.load_figures(runtime, runner_id))[1]
        for _ in range(ROUNDS)
    )
    split = np.median(
        [measure_parts(runtime, runner_id) for _ in range(ROUNDS)], axis=0
    )
    cells = [first, *colds, warm, *split]
    print(f"| {name} | {' | '.join(f'{cell:.1f}' for cell in cells)} |", flush=True)
    runtime.db.close()


if __name__ == "__main__":
    print(f"{RUNS} runs, {ANSWERS} answers, milliseconds (median of {ROUNDS})\n")
    print(
        "| database | first, with imports | cold | of that CPU | warm "
        "| read | fill | decide | draw |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        report("SQLite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
    with provide_postgres() as address:
        report("PostgreSQL", address.replace("postgresql://", "postgresql+psycopg://"))
