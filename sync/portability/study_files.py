"""A runner's study: plain CSV files from which the headline can be recomputed."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np
from sqlalchemy.orm import Session

from sync.analytics.dataset.columns import FOCUS_KEYS, HistoryContext, build_history
from sync.analytics.dataset.history import STREET, TRAIL, History
from sync.analytics.dataset.load import read_rows
from sync.analytics.panels.registry import collect_mileage, compare_mood, compare_stress
from sync.analytics.sentences import store
from sync.analytics.stats.groups import Difference, estimate_difference
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.series import Floats
from sync.runtime import Runtime

_SURFACE_NAMES = {STREET: "street", TRAIL: "trail"}
CODEBOOK: Sequence[tuple[str, str, str, str]] = (
    ("runs.csv", "run", "", "number of the run in these files"),
    ("runs.csv", "local_day", "date", "day of the run where it was"),
    ("runs.csv", "start_hour", "hours", "local time of the start; empty if hidden"),
    ("runs.csv", "distance_m", "metres", "distance of this recording"),
    ("runs.csv", "session_m", "metres", "with runs less than 3 h before it"),
    ("runs.csv", "week_m", "metres", "7 local days up to and including the run"),
    ("runs.csv", "moving_s", "seconds", "time in motion"),
    ("runs.csv", "race", "0 or 1", "marked as a race; left out of mileage"),
    ("runs.csv", "place", "", "street, trail or indoors, as recorded"),
    ("runs.csv", "with_others", "0 or 1", "recorded together with others"),
    ("answers.csv", "answer", "", "number of the answer in these files"),
    ("answers.csv", "answered_at", "UTC", "when it was first given"),
    ("answers.csv", "run", "", "the run it followed; empty for a check-in"),
    ("answers.csv", "about_m", "metres", "session_m, with the day's earlier session"),
    ("answers.csv", "hours_after", "hours", "from the run's end to the answer"),
    ("answers.csv", "after_run", "0 or 1", "within 6 h of the end: counts"),
    ("answers.csv", "rest", "0 or 1", "check-in with no run before it that day"),
    ("answers.csv", "mood", "-2 to 2", "Awful, Low, OK, Good, Great"),
    ("answers.csv", "before", "-2 to 2", "mood before the run, as remembered"),
    ("answers.csv", "stress", "0 to 4", "Not at all to Very"),
    ("answers.csv", "company", "0 or 1", "alone or with others, as told"),
    ("answers.csv", "energy", "0 to 4", "Drained to Full of energy"),
    ("answers.csv", "effort", "0 to 4", "the run was Very easy to Very hard"),
    (
        "answers.csv",
        "presence",
        "0 to 4",
        "attention here and now, Not at all to Fully",
    ),
    ("answers.csv", "progress", "0 to 4", "satisfied with it, Not at all to Very"),
    ("answers.csv", "clarity", "0 to 4", "head, Very foggy to Very clear"),
    ("answers.csv", "connection", "0 to 4", "to others, Not at all to Very"),
    ("headline.csv", "after_runs", "steps", "mean mood after_run = 1, less rest = 1"),
    ("headline.csv", "mileage", "", "Spearman: about_m, mood; after_run, no races"),
    ("headline.csv", "stress", "steps", "mean stress after_run = 1, less rest = 1"),
    ("headline.csv", "n", "", "rows used"),
    ("headline.csv", "n_eff", "", "independent rows that they are worth"),
    ("headline.csv", "low", "", "lower end of the 95 % interval on n_eff"),
    ("headline.csv", "high", "", "upper end of it"),
)


def build_study_export(
    runtime: Runtime, session: Session, runner_id: int
) -> dict[str, str]:
    """Return the files by name: runs, answers, the three numbers and what they mean."""
    snapshot = store.load_runner_snapshot(session, runner_id)
    vault = runtime.sealer.open_vault(snapshot.vault_key)
    rows = read_rows(session, runner_id, vault)
    today = store.compute_local_day(runtime.db.now(session), snapshot.zone)
    context = HistoryContext(zone=snapshot.zone, asked_count=0, today=today)
    return build_files(build_history(rows, context=context))


def build_files(history: History) -> dict[str, str]:
    return {
        "runs.csv": _write_columns(_build_run_columns(history)),
        "answers.csv": _write_columns(_build_answer_columns(history)),
        "headline.csv": _write_columns(_build_headline_columns(history)),
        "codebook.csv": _write_csv(("file", "column", "unit", "meaning"), CODEBOOK),
    }


def _build_run_columns(history: History) -> Mapping[str, Iterable[object]]:
    runs = history.runs
    return {
        "run": range(1, len(runs.id) + 1),
        "local_day": [date.fromordinal(day).isoformat() for day in runs.local_day],
        "start_hour": _format_numbers(runs.start_hour),
        "distance_m": _format_numbers(runs.distance_m),
        "session_m": _format_numbers(history.session_m),
        "week_m": _format_numbers(history.load_m),
        "moving_s": _format_numbers(runs.moving_s),
        "race": runs.is_race.astype(int),
        "place": [
            _SURFACE_NAMES.get(int(surface), "indoors") for surface in runs.place
        ],
        "with_others": runs.is_with_others.astype(int),
    }


def _build_answer_columns(history: History) -> Mapping[str, Iterable[object]]:
    answers = history.answers
    missing = np.full(len(answers.run), np.nan)
    return {
        "answer": range(1, len(answers.run) + 1),
        "answered_at": [
            datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
            for moment in answers.answered_s
        ],
        "run": [run + 1 if run >= 0 else "" for run in answers.run],
        "about_m": _format_numbers(history.about_m),
        "hours_after": _format_numbers(history.hours_after),
        "after_run": history.is_after_run.astype(int),
        "rest": history.is_rest_day.astype(int),
        "mood": _format_numbers(answers.mood),
        "before": _format_numbers(answers.before),
        "stress": _format_numbers(answers.stress),
        "company": _format_numbers(answers.company),
    } | {key: _format_numbers(answers.focus.get(key, missing)) for key in FOCUS_KEYS}


def _build_headline_columns(history: History) -> Mapping[str, Iterable[object]]:
    mileage_data = collect_mileage(history)
    mileage_link = link(mileage_data.distance_m, mileage_data.mood, mileage_data.days)
    groups = [
        estimate_difference(panel.values, panel.in_first, panel.days)
        for panel in (compare_mood(history), compare_stress(history))
    ]
    mood_values, stress_values = (_difference_values(group) for group in groups)
    mileage_values = (
        mileage_link.rho,
        mileage_link.n,
        mileage_link.n_eff,
        *mileage_link.i95,
    )
    columns = zip(mood_values, mileage_values, stress_values, strict=True)
    numbers = [_format_numbers(np.array(column)) for column in columns]
    names = ("value", "n", "n_eff", "low", "high")
    return {
        "question": ("after_runs", "mileage", "stress"),
        **dict(zip(names, numbers, strict=True)),
    }


def _difference_values(comparison: Difference) -> tuple[float, ...]:
    n = comparison.n_first + comparison.n_second
    return (comparison.difference, n, comparison.n_eff, *comparison.i95)


def _format_numbers(values: Floats) -> list[str]:
    """Write numbers in full; what is not known is left empty."""
    return [
        "" if not np.isfinite(value) else f"{value:.10g}" for value in values.tolist()
    ]


def _write_columns(columns: Mapping[str, Iterable[object]]) -> str:
    return _write_csv(tuple(columns), zip(*columns.values(), strict=True))


def _write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
