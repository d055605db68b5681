"""One runner's rows as arrays of numbers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from sync.analytics.dataset.history import (
    INDOORS,
    NO_RUN,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    STREET,
    TRAIL,
    AnswerArrays,
    History,
    RunArrays,
)
from sync.analytics.dataset.load import (
    EARLIER_RUNS,
    MOOD_AT_CHECK_IN,
    NO_MOOD,
    ON_TRAIL,
    RACE,
    START_KNOWN,
    TREADMILL,
    VIRTUAL,
    WITH_OTHERS,
    RunColumns,
    RunnerRows,
)
from sync.analytics.dataset.weeks import MONDAY
from sync.analytics.stats.series import Floats, Ints

MAX_DAY_S = 36 * SECONDS_PER_HOUR
EPOCH_DAY = date(1970, 1, 1).toordinal()
# The keys of `sync/surveys/instruments/focus.toml`, the one that everybody starts
# with first.
FOCUS_KEYS = ("energy", "effort", "presence", "progress", "clarity", "connection")

# What may be told besides a focus question, by the key that it is kept under.
_ANSWER_KEYS = ("mood", "stress", "before", "company", "place")


@dataclass(frozen=True, slots=True)
class HistoryContext:
    """What a history needs besides its rows."""

    zone: ZoneInfo
    asked_count: int
    today: int
    first_weekday: int = MONDAY


def build_history(rows: RunnerRows, *, context: HistoryContext) -> History:
    runs = _build_runs(rows.runs)
    offset_s = np.array(rows.runs.offset_s, dtype=np.float64)
    return History(
        runs=runs,
        answers=_build_answers(rows, (runs, offset_s), context.zone),
        asked_count=context.asked_count,
        today=context.today,
        first_weekday=context.first_weekday,
    )


def _build_runs(columns: RunColumns) -> RunArrays:
    started_s, offset_s, distance_m, moving_s, elapsed_s = (
        np.array(column, dtype=np.float64)
        for column in (
            columns.started_s,
            columns.offset_s,
            columns.distance_m,
            columns.moving_s,
            columns.elapsed_s,
        )
    )
    flags = np.array(columns.flags, dtype=np.int64)
    is_start_known, is_indoors, is_on_trail = (
        (flags & flag) > 0 for flag in (START_KNOWN, TREADMILL | VIRTUAL, ON_TRAIL)
    )
    hour = (started_s + offset_s) / SECONDS_PER_HOUR % 24
    return RunArrays(
        id=np.array(columns.id, dtype=np.int64),
        started_s=started_s,
        ended_s=np.where(is_start_known, started_s + elapsed_s, np.nan),
        local_day=np.array(columns.local_day, dtype=np.int64),
        start_hour=np.where(is_start_known, hour, np.nan),
        distance_m=distance_m,
        moving_s=moving_s,
        is_race=(flags & RACE) > 0,
        place=np.where(is_indoors, INDOORS, np.where(is_on_trail, TRAIL, STREET)),
        is_with_others=(flags & WITH_OTHERS) > 0,
    )


def _build_answers(
    rows: RunnerRows, runs_and_offsets: tuple[RunArrays, Floats], zone: ZoneInfo
) -> AnswerArrays:
    runs, offset_s = runs_and_offsets
    columns = rows.answers
    mood_at = np.array(columns.mood_source, dtype=np.int64)
    # A "before" belongs to a run, too, but is no mood after it.
    mood_rows = np.flatnonzero(mood_at != NO_MOOD)
    run_index = _find_rows(columns.run_id, runs.id)[mood_rows]
    answered_s = np.array(columns.answered_s, dtype=np.float64)[mood_rows]
    given_keys = set[str]().union(*rows.answer_values)
    missing = np.full(len(mood_rows), np.nan)

    def answer_column(key: str) -> Floats:
        return (
            _read_answer_column(rows.answer_values, key)[mood_rows]
            if key in given_keys
            else missing
        )

    return AnswerArrays(
        run=run_index,
        is_checkin=mood_at[mood_rows] == MOOD_AT_CHECK_IN,
        answered_s=answered_s,
        local_day=_compute_local_days(
            answered_s, np.append(offset_s, np.nan)[run_index], zone
        ),
        mood=answer_column("mood"),
        stress=answer_column("stress"),
        before=answer_column("before"),
        company=answer_column("company"),
        place=answer_column("place"),
        focus={key: answer_column(key) for key in FOCUS_KEYS if key in given_keys},
        earlier_runs=_find_earlier_runs(
            [columns.tags[index] for index in mood_rows.tolist()], run_index, runs
        ),
    )


def _find_rows(run_ids: Sequence[int | None], known_ids: Ints) -> Ints:
    """Find the row of each run among the `known`, shape (m,); -1 if it is not there."""
    ids = np.array([run_id or NO_RUN for run_id in run_ids], dtype=np.int64)
    order = np.argsort(known_ids)
    row = np.append(order, -1)[np.searchsorted(known_ids, ids, sorter=order)]
    return np.where(np.append(known_ids, NO_RUN)[row] == ids, row, -1)


def _read_answer_column(answers: Sequence[Mapping[str, int]], key: str) -> Floats:
    return np.array([answer.get(key, np.nan) for answer in answers], dtype=np.float64)


def _find_earlier_runs(
    tags: Sequence[str | None], run: Ints, runs: RunArrays
) -> list[tuple[int, int]]:
    """Find the rows of (answer, run) where an answer is about earlier runs too."""
    references = [
        (answer, run_id)
        for answer, text in enumerate(tags)
        if text is not None and EARLIER_RUNS in text and run[answer] >= 0
        for run_id in json.loads(text)[EARLIER_RUNS]
    ]
    rows = _find_rows([run_id for _, run_id in references], runs.id).tolist()
    return [
        (answer, row)
        for (answer, _), row in zip(references, rows, strict=True)
        # A run that has gone may have left its number to quite another one.
        if row >= 0 and 0 < _start_gap_s(runs, row, run[answer]) < MAX_DAY_S
    ]


def _start_gap_s(runs: RunArrays, first: int, second: int) -> float:
    return float(runs.started_s[second] - runs.started_s[first])


def _compute_local_days(answered_s: Floats, offset_s: Floats, zone: ZoneInfo) -> Ints:
    """Day numbers where the runner was: where the run was, else in their zone."""
    days = np.floor((answered_s + offset_s) / SECONDS_PER_DAY) + EPOCH_DAY
    is_missing = np.isnan(offset_s)
    days[is_missing] = [
        datetime.fromtimestamp(moment, zone).toordinal()
        for moment in answered_s[is_missing].tolist()
    ]
    return days.astype(np.int64)
