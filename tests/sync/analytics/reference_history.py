"""One runner whose runs and answers are made from the shared data sets alone.

Runs are a real log, on its own days; answers are fifths of its paces, of the affect
study's scores and of the sleep study's reaction times, in their own order.
"""

import csv
from datetime import date

import numpy as np

from sync.analytics.dataset.history import (
    AnswerArrays,
    History,
    PreRunArrays,
    RunArrays,
)
from sync.analytics.stats.series import Floats, Ints
from tests.support.paths import DATA

EPOCH = date(1970, 1, 1).toordinal()
MILE_M, DAY_S = 1609.344, 86_400
N_RUNS = 300


def read_numbers(name: str, column: str) -> Floats:
    with (DATA / name).open(newline="") as file:
        return np.array([float(row[column] or "nan") for row in csv.DictReader(file)])


def cut_into_fifths(values: Floats, count: int, *, lowest: int = 0) -> Floats:
    """Return `count` steps of five, `values` in turn; missing ones are the middle."""
    edges = np.nanquantile(values, (0.2, 0.4, 0.6, 0.8))
    steps = np.where(np.isnan(values), 2, np.digitize(values, edges)) + lowest
    return np.asarray(np.resize(steps, count), dtype=np.float64)


def build_reference_history() -> History:
    """Make 300 runs, an answer to each, a check-in each day, and a "before" to some."""
    with (DATA / "marathon.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:N_RUNS]
    run_days = np.array([date.fromisoformat(row["date"]).toordinal() for row in rows])
    runs = build_runs(run_days, read_numbers("marathon.csv", "miles")[:N_RUNS])
    all_days = np.arange(run_days[0], run_days[-1] + 1)
    # Twice on each seventh day, before any run and after every run.
    check_in_days = np.concatenate([all_days, all_days[::7]])
    check_in_hours = np.repeat([6.0, 21.5], [len(all_days), len(all_days[::7])])
    pre_run = PreRunArrays(
        runs.started_s[::3] - 600,
        cut_into_fifths(read_numbers("affect.csv", "pa2"), 100, lowest=-2),
    )
    return History(
        runs=runs,
        answers=build_answers(runs, check_in_days, check_in_hours),
        asked_count=0,
        today=int(run_days[-1]) + 1,
        pre_run=pre_run,
    )


def build_runs(days: Ints, miles: Floats) -> RunArrays:
    n = len(days)
    hour = np.resize([7.0, 12.0, 20.0], n)
    started_s = (days - EPOCH) * DAY_S + hour * 3600.0
    moving_s = miles * 8.0 * 60.0
    return RunArrays(
        id=np.arange(1, n + 1),
        started_s=started_s,
        ended_s=started_s + moving_s,
        local_day=days,
        start_hour=hour,
        distance_m=miles * MILE_M,
        moving_s=moving_s,
        is_race=np.arange(n) % 15 == 7,
        place=np.zeros(n, dtype=np.int64),
        is_with_others=np.zeros(n, dtype=np.bool_),
    )


def build_answers(runs: RunArrays, days: Ints, hours: Floats) -> AnswerArrays:
    """Answer each run an hour after its end, and check in on `days` at `hours`."""
    n_runs = len(runs.id)
    answered_s = np.concatenate(
        [runs.ended_s + 3600, (days - EPOCH) * DAY_S + hours * 3600]
    )
    order = np.argsort(answered_s, kind="stable")
    n, is_run = len(order), order < n_runs
    pace = read_numbers("marathon.csv", "pace_min")
    first, second = read_numbers("affect.csv", "pa1"), read_numbers("affect.csv", "pa2")
    reaction = read_numbers("sleepstudy.csv", "reaction")
    is_morning = ~is_run & ((answered_s[order] / 3600) % 24 < 12)

    def ask(values: Floats, where: np.ndarray) -> Floats:
        return np.where(where, cut_into_fifths(values, n), np.nan)

    return AnswerArrays(
        run=np.where(is_run, order, -1),
        is_checkin=~is_run,
        answered_s=answered_s[order],
        local_day=np.floor(answered_s[order] / DAY_S).astype(np.int64) + EPOCH,
        local_hour=(answered_s[order] / 3600) % 24,
        mood=cut_into_fifths(-pace, n, lowest=-2),
        stress=cut_into_fifths(second, n),
        before=np.where(is_run, cut_into_fifths(first, n, lowest=-2), np.nan),
        company=np.full(n, np.nan),
        place=np.full(n, np.nan),
        race=np.where(is_run & (np.arange(n) % 40 == 3), 1.0, np.nan),
        focus={
            "energy": ask(first, is_run),
            "presence": ask(-second, is_run),
            "effort": ask(reaction, is_run),
            "progress": ask(second, is_run),
            "clarity": ask(reaction, np.ones(n, dtype=np.bool_)),
            "connection": ask(-second, is_run),
            "sleep": ask(-reaction, is_morning),
            "confidence": ask(first, ~is_run),
            "control": ask(second, ~is_run),
            "legs": ask(pace, is_run),
            "home": ask(first, ~is_run),
        },
    )
