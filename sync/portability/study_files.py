"""Files for study: plain CSV from which the headline can be recomputed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
from sqlalchemy.orm import Session

from sync.analytics.dataset.build_history import HistoryContext, build_history
from sync.analytics.dataset.history import (
    CHECK_IN_FOCUS_KEYS,
    FOCUS_KEYS,
    STREET,
    TRAIL,
    History,
)
from sync.analytics.dataset.load import read_rows
from sync.analytics.dataset.weeks import MONTH_DAYS
from sync.analytics.panels.asked_delay import find_asked_hours
from sync.analytics.panels.discovery import ComparedPanel, compare_all, list_panels
from sync.analytics.panels.host_questions import (
    HostQuestion,
    build_definition,
    compare_host_questions,
)
from sync.analytics.panels.longest import find_longest_runs
from sync.analytics.panels.sleep import find_last_ends
from sync.analytics.sentences import store
from sync.analytics.stats.series import UNBOUNDED, Floats, Interval, Ints
from sync.host_questions import list_host_questions
from sync.runtime import Runtime
from sync.safe_csv import write_csv
from sync.surveys.instruments import load_library
from sync.surveys.policy.parameters import Policy

_SURFACE_NAMES = {STREET: "street", TRAIL: "trail"}
_COLUMNS: Sequence[tuple[str, str, str, str]] = (
    ("runs.csv", "run", "", "number of the run in these files"),
    ("runs.csv", "local_day", "date", "day of the run where it was"),
    ("runs.csv", "start_hour", "hours", "local time of the start; empty if hidden"),
    ("runs.csv", "distance_m", "metres", "distance of this recording"),
    ("runs.csv", "session_m", "metres", "with runs less than 3 h before it"),
    ("runs.csv", "week_m", "metres", "7 local days up to and including the run"),
    ("runs.csv", "week_of", "date", "first day of its week, as the runner begins it"),
    (
        "runs.csv",
        "ended_hour",
        "hours",
        "local time of the end; above 24 past midnight",
    ),
    (
        "runs.csv",
        "moving_s",
        "seconds",
        "time in motion; all of it if that is not known",
    ),
    ("runs.csv", "race", "0 or 1", "marked as a race; left out of mileage"),
    ("runs.csv", "place", "", "street, trail or indoors, as recorded"),
    ("runs.csv", "with_others", "0 or 1", "recorded together with others"),
    ("answers.csv", "answer", "", "number of the answer in these files"),
    ("answers.csv", "answered_at", "UTC", "when it was first given"),
    ("answers.csv", "local_day", "date", "its day where the runner was"),
    ("answers.csv", "local_hour", "hours", "its time of day there"),
    (
        "answers.csv",
        "week_of",
        "date",
        "first day of its week, as the runner begins it",
    ),
    ("answers.csv", "run", "", "the run it followed; empty for a check-in"),
    ("answers.csv", "about_m", "metres", "session_m, with the day's earlier session"),
    ("answers.csv", "about_s", "seconds", "in motion, of the same runs"),
    ("answers.csv", "race", "0 or 1", "about a race, as told or else as recorded"),
    (
        "answers.csv",
        "longest",
        "0 or 1",
        "about a longest run so far, from the 11th on",
    ),
    ("answers.csv", "hours_after", "hours", "from the run's end to the answer"),
    ("answers.csv", "after_run", "0 or 1", "within 6 h of the end: counts"),
    ("answers.csv", "rest", "0 or 1", "check-in with no run before it that day"),
    ("answers.csv", "checkin", "0 or 1", "whether it was given at a check-in"),
    ("answers.csv", "ran_before", "0 or 1", "a run on the day before"),
    (
        "answers.csv",
        "ended_before",
        "hours",
        "end of that day's last run; empty if hidden",
    ),
    ("answers.csv", "month_m", "metres", "28 local days up to the day before"),
    ("answers.csv", "month_full", "0 or 1", "the first run is 28 days ago or more"),
    ("answers.csv", "mood", "from -2 to 2", "Awful, Low, OK, Good, Great"),
    ("answers.csv", "before", "from -2 to 2", "mood before the run, as remembered"),
    ("answers.csv", "said_before", "from -2 to 2", "as said on the way out to the run"),
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
    ("answers.csv", "sleep", "0 to 4", "last night, Very badly to Very well"),
    ("answers.csv", "confidence", "0 to 4", "Not at all to Very"),
    ("answers.csv", "control", "0 to 4", "of the day, Not at all to Completely"),
)
_DELAY_COLUMNS: Sequence[tuple[str, str, str, str]] = (
    ("delays.csv", "run", "", "the run asked about"),
    ("delays.csv", "answer", "", "the answer about it; empty without one"),
    ("delays.csv", "delay_h", "hours", "drawn, from the run's end to its question"),
    ("delays.csv", "expected_h", "hours", "mean of the delays offered, by the odds"),
    ("delays.csv", "asked_hour", "hours", "local time of the drawn moment"),
    ("delays.csv", "asked", "0 or 1", "the question went out, or was answered before"),
    ("delays.csv", "answered", "0 or 1", "and it was answered"),
    ("delays.csv", "followed", "0 or 1", "another run that day: left out"),
    *(
        (
            "delays.csv",
            f"odds_{hours}",
            "0 to 1",
            f"probability of {hours} h; 0: not on offer",
        )
        for hours in Policy().drawn_delays_h
    ),
)
_NUMBERS: Sequence[tuple[str, str, str, str]] = (
    ("headline.csv", "n", "", "rows used"),
    ("headline.csv", "n_eff", "", "independent rows that they are worth"),
    ("headline.csv", "low", "", "lower end of the 95 % interval on n_eff"),
    ("headline.csv", "high", "", "upper end of it"),
    ("groups.csv", "question", "", "as in headline.csv"),
    ("groups.csv", "part", "", "mean of a group, share of answers, or a series' name"),
    ("groups.csv", "name", "", "the group, the choice, or the first day"),
    ("groups.csv", "value", "", "the mean, the share, or the series' value"),
    ("groups.csv", "n", "", "answers that it rests on; for a share those counted"),
    ("groups.csv", "low", "", "lower end of the 95 % interval on n_eff"),
    ("groups.csv", "high", "", "upper end of it"),
)


def build_study_export(
    runtime: Runtime, session: Session, runner_id: int
) -> dict[str, str]:
    """Return the files by name: runs, answers, numbers, groups and their codebook."""
    snapshot = store.load_runner_snapshot(session, runner_id)
    vault = runtime.sealer.open_vault(snapshot.vault_key)
    rows = read_rows(session, runner_id, vault)
    today = store.compute_local_day(runtime.db.now(session), snapshot.zone)
    context = HistoryContext(
        zone=snapshot.zone,
        asked_count=0,
        today=today,
        first_weekday=snapshot.first_weekday,
    )
    library = load_library(runtime.settings.data_dir)
    return build_files(
        build_history(rows, context=context),
        list_host_questions(library, is_localized=False),
    )


def build_codebook(
    host_questions: Sequence[HostQuestion] = (),
) -> Sequence[tuple[str, str, str, str]]:
    """Return file, name, unit and meaning of every column and every question."""
    definitions = [
        *list_panels(),
        *(build_definition(question, position=0) for question in host_questions),
    ]
    questions = [
        ("headline.csv", panel.name, panel.codebook.unit, panel.codebook.meaning)
        for panel in definitions
        if panel.codebook is not None
    ]
    columns = [
        (
            "answers.csv",
            question.key,
            f"{min(question.choices)[0]} to {max(question.choices)[0]}",
            "the host's question",
        )
        for question in host_questions
    ]
    return (*_COLUMNS, *columns, *_DELAY_COLUMNS, *questions, *_NUMBERS)


def build_files(
    history: History, host_questions: Sequence[HostQuestion] = ()
) -> dict[str, str]:
    panels = [
        *compare_all(history),
        *compare_host_questions(history, host_questions),
    ]
    answer_columns = {
        **_build_answer_columns(history),
        **{
            question.key: _get_answers(history, question.key)
            for question in host_questions
        },
    }
    return {
        "runs.csv": _write_columns(_build_run_columns(history)),
        "answers.csv": _write_columns(answer_columns),
        "delays.csv": _write_columns(_build_delay_columns(history)),
        "headline.csv": _write_columns(_build_headline_columns(panels)),
        "groups.csv": write_csv(
            ("question", "part", "name", "value", "n", "low", "high"),
            _list_groups(panels),
            line_end="\n",
        ),
        "codebook.csv": write_csv(
            ("file", "column", "unit", "meaning"),
            build_codebook(host_questions),
            line_end="\n",
        ),
    }


def _build_run_columns(history: History) -> Mapping[str, Iterable[object]]:
    runs = history.runs
    return {
        "run": range(1, len(runs.id) + 1),
        "local_day": _format_days(runs.local_day),
        "start_hour": _round_numbers(runs.start_hour),
        "distance_m": _round_numbers(runs.distance_m),
        "session_m": _round_numbers(history.session_m),
        "week_m": _round_numbers(history.load_m),
        "week_of": _format_days(history.find_week_starts(runs.local_day)),
        "ended_hour": _round_numbers(runs.end_hour),
        "moving_s": _round_numbers(runs.moving_s),
        "race": runs.is_race.astype(int),
        "place": [
            _SURFACE_NAMES.get(int(surface), "indoors") for surface in runs.place
        ],
        "with_others": runs.is_with_others.astype(int),
    }


def _build_answer_columns(history: History) -> Mapping[str, Iterable[object]]:
    answers, days = history.answers, history.answers.local_day
    first_day = int(history.runs.local_day.min()) if len(history.runs.id) else 0
    month_m = history.compute_loads(days - 1, window_days=MONTH_DAYS)
    return {
        "answer": range(1, len(answers.run) + 1),
        "answered_at": [
            datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
            for moment in answers.answered_s
        ],
        "local_day": _format_days(days),
        "local_hour": _round_numbers(answers.local_hour),
        "week_of": _format_days(history.find_week_starts(days)),
        "run": [run + 1 if run >= 0 else "" for run in answers.run],
        "about_m": _round_numbers(history.about_m),
        "about_s": _round_numbers(history.about_s),
        "race": history.is_about_race.astype(int),
        "longest": find_longest_runs(history).astype(int),
        "hours_after": _round_numbers(history.hours_after),
        "after_run": history.is_after_run.astype(int),
        "rest": history.is_rest_day.astype(int),
        "checkin": answers.is_checkin.astype(int),
        "ran_before": np.isin(days - 1, history.run_days).astype(int),
        "ended_before": _round_numbers(find_last_ends(history)),
        "month_m": _round_numbers(month_m),
        "month_full": (days >= first_day + MONTH_DAYS).astype(int),
        "mood": _round_numbers(answers.mood),
        "before": _round_numbers(answers.before),
        "said_before": _round_numbers(history.said_before),
        "stress": _round_numbers(answers.stress),
        "company": _round_numbers(answers.company),
    } | {key: _get_answers(history, key) for key in (*FOCUS_KEYS, *CHECK_IN_FOCUS_KEYS)}


def _build_delay_columns(history: History) -> Mapping[str, Iterable[object]]:
    """Build a row for each delay drawn; numbers lead to the other files."""
    delays = history.delays
    odds_by_hours = dict(zip(delays.offered_h.tolist(), delays.odds.T, strict=True))
    not_offered = np.zeros(len(delays.delay_h))
    all_hours = sorted({*Policy().drawn_delays_h, *odds_by_hours})
    return {
        "run": [run + 1 if run >= 0 else "" for run in delays.run],
        "answer": [answer + 1 if answer >= 0 else "" for answer in delays.answer],
        "delay_h": delays.delay_h,
        "expected_h": _round_numbers(delays.odds @ delays.offered_h),
        "asked_hour": _round_numbers(find_asked_hours(history)),
        "asked": (delays.is_sent | delays.is_answered).astype(int),
        "answered": delays.is_answered.astype(int),
        "followed": np.append(history.is_followed, False)[delays.run].astype(int),
        **{
            f"odds_{hours}": _round_numbers(odds_by_hours.get(hours, not_offered))
            for hours in all_hours
        },
    }


def _get_answers(history: History, key: str) -> list[Decimal | str]:
    missing = np.full(len(history.answers.run), np.nan)
    return _round_numbers(history.answers.focus.get(key, missing))


def _format_days(days: Ints) -> list[str]:
    return [date.fromordinal(day).isoformat() for day in days.tolist()]


def _build_headline_columns(
    panels: Sequence[ComparedPanel],
) -> Mapping[str, Iterable[object]]:
    panels = [panel for panel in panels if panel.definition.codebook is not None]
    estimates = [panel.comparison.estimate() for panel in panels]
    columns = {
        "value": [estimate.value for estimate in estimates],
        "n": [estimate.n for estimate in estimates],
        "n_eff": [estimate.n_eff for estimate in estimates],
        "low": [estimate.i95[0] for estimate in estimates],
        "high": [estimate.i95[1] for estimate in estimates],
    }
    return {
        "question": [panel.name for panel in panels],
        **{name: _round_numbers(np.array(values)) for name, values in columns.items()},
    }


def _list_groups(panels: Sequence[ComparedPanel]) -> Iterator[Sequence[object]]:
    """Yield a row for each mean, share and value over time that a page draws."""
    for panel in panels:
        drawing = panel.comparison.draw(None)
        numbers: list[tuple[str, str, float, int, Interval]] = [
            *(
                ("mean", name, mean.mean, mean.n, mean.i95)
                for name, mean in drawing.means.items()
            ),
            *(
                ("share", name, share.share, share.count, share.i95)
                for name, share in drawing.shares.items()
            ),
        ]
        if drawing.timeline is not None:
            upper, counts = drawing.timeline.upper, drawing.timeline.answer_counts
            numbers.extend(
                (upper.label, day, value, count, UNBOUNDED)
                for day, value, count in zip(
                    _format_days(upper.days),
                    upper.values.tolist(),
                    counts.tolist(),
                    strict=True,
                )
            )
        for part, name, value, n, (low, high) in numbers:
            rounded = _round_numbers(np.array([value, low, high]))
            yield panel.name, part, name, rounded[0], n, rounded[1], rounded[2]


def _round_numbers(values: Floats) -> list[Decimal | str]:
    """Round numbers to ten digits; missing ones are empty."""
    return [
        Decimal(f"{value:.10g}") if np.isfinite(value) else ""
        for value in values.tolist()
    ]


def _write_columns(columns: Mapping[str, Iterable[object]]) -> str:
    rows = zip(*columns.values(), strict=True)
    return write_csv(tuple(columns), rows, line_end="\n")
