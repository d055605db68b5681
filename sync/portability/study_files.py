"""A runner's study: plain CSV files from which the headline can be recomputed."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np
from sqlalchemy.orm import Session

from sync.analytics.dataset.columns import FOCUS, About, history_of
from sync.analytics.dataset.history import STREET, TRAIL, History
from sync.analytics.dataset.load import read
from sync.analytics.panels.registry import after_runs, mileage, stress
from sync.analytics.sentences import store
from sync.analytics.stats.groups import Difference, difference
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.series import Floats
from sync.runtime import Runtime

_PLACES = {STREET: "street", TRAIL: "trail"}
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


def study(runtime: Runtime, session: Session, runner_id: int) -> dict[str, str]:
    """Return the files by name: runs, answers, the three numbers and what they mean."""
    owner = store.owner(session, runner_id)
    vault = runtime.sealer.vault(owner.vault_key)
    rows = read(session, runner_id, vault)
    today = store.local_today(runtime.db.now(session), owner.zone)
    about = About(zone=owner.zone, asked=0, today=today)
    return files(history_of(rows, about=about))


def files(history: History) -> dict[str, str]:
    return {
        "runs.csv": _csv(_runs(history)),
        "answers.csv": _csv(_answers(history)),
        "headline.csv": _csv(_headline(history)),
        "codebook.csv": _lines(("file", "column", "unit", "meaning"), CODEBOOK),
    }


def _runs(history: History) -> Mapping[str, Iterable[object]]:
    runs = history.runs
    return {
        "run": range(1, len(runs.id) + 1),
        "local_day": [date.fromordinal(day).isoformat() for day in runs.local_day],
        "start_hour": _numbers(runs.start_hour),
        "distance_m": _numbers(runs.distance_m),
        "session_m": _numbers(history.session_m),
        "week_m": _numbers(history.load_m),
        "moving_s": _numbers(runs.moving_s),
        "race": runs.race.astype(int),
        "place": [_PLACES.get(int(place), "indoors") for place in runs.place],
        "with_others": runs.with_others.astype(int),
    }


def _answers(history: History) -> Mapping[str, Iterable[object]]:
    answers = history.answers
    unsaid = np.full(len(answers.run), np.nan)
    return {
        "answer": range(1, len(answers.run) + 1),
        "answered_at": [
            datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
            for moment in answers.answered_s
        ],
        "run": [run + 1 if run >= 0 else "" for run in answers.run],
        "about_m": _numbers(history.about_m),
        "hours_after": _numbers(history.hours_after),
        "after_run": history.after_run.astype(int),
        "rest": history.rested.astype(int),
        "mood": _numbers(answers.mood),
        "before": _numbers(answers.before),
        "stress": _numbers(answers.stress),
        "company": _numbers(answers.company),
    } | {key: _numbers(answers.focus.get(key, unsaid)) for key in FOCUS}


def _headline(history: History) -> Mapping[str, Iterable[object]]:
    miles = mileage(history)
    found = link(miles.distance_m, miles.mood, miles.days)
    groups = [
        difference(panel.values, panel.in_first, panel.days)
        for panel in (after_runs(history), stress(history))
    ]
    mood, tense = (_difference(group) for group in groups)
    linked = (found.rho, found.n, found.n_eff, *found.i95)
    columns = zip(mood, linked, tense, strict=True)
    numbers = [_numbers(np.array(column)) for column in columns]
    names = ("value", "n", "n_eff", "low", "high")
    return {
        "question": ("after_runs", "mileage", "stress"),
        **dict(zip(names, numbers, strict=True)),
    }


def _difference(found: Difference) -> tuple[float, ...]:
    many = found.n_first + found.n_second
    return (found.difference, many, found.n_eff, *found.i95)


def _numbers(values: Floats) -> list[str]:
    """Write numbers in full; what is not known is left empty."""
    return [
        "" if not np.isfinite(value) else f"{value:.10g}" for value in values.tolist()
    ]


def _csv(columns: Mapping[str, Iterable[object]]) -> str:
    return _lines(tuple(columns), zip(*columns.values(), strict=True))


def _lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
