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
    Answers,
    History,
    Runs,
)
from sync.analytics.dataset.load import (
    AT_A_CHECK_IN,
    EARLIER_RUNS,
    NEITHER,
    ON_TRAIL,
    RACE,
    START_KNOWN,
    TREADMILL,
    VIRTUAL,
    WITH_OTHERS,
    Rows,
    RunColumns,
)
from sync.analytics.dataset.weeks import MONDAY
from sync.analytics.stats.series import Floats, Ints

LONGEST_DAY_S = 36 * SECONDS_PER_HOUR
EPOCH_DAY = date(1970, 1, 1).toordinal()
# The keys of `sync/surveys/instruments/focus.toml`, the one that everybody starts
# with first.
FOCUS = ("energy", "effort", "presence", "progress", "clarity", "connection")

# What may be told besides a focus question, by the key that it is kept under.
_ASKED = ("mood", "stress", "before", "company", "place")


@dataclass(frozen=True, slots=True)
class About:
    """What a history needs besides its rows."""

    zone: ZoneInfo
    asked: int
    today: int
    first_weekday: int = MONDAY


def history_of(rows: Rows, *, about: About) -> History:
    counted = _runs(rows.runs)
    offset_s = np.array(rows.runs.offset_s, dtype=np.float64)
    return History(
        runs=counted,
        answers=_answers(rows, (counted, offset_s), about.zone),
        asked=about.asked,
        today=about.today,
        first_weekday=about.first_weekday,
    )


def _runs(columns: RunColumns) -> Runs:
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
    facts = np.array(columns.facts, dtype=np.int64)
    known, indoors, on_trail = (
        (facts & fact) > 0 for fact in (START_KNOWN, TREADMILL | VIRTUAL, ON_TRAIL)
    )
    hour = (started_s + offset_s) / SECONDS_PER_HOUR % 24
    return Runs(
        id=np.array(columns.id, dtype=np.int64),
        started_s=started_s,
        ended_s=np.where(known, started_s + elapsed_s, np.nan),
        local_day=np.array(columns.local_day, dtype=np.int64),
        start_hour=np.where(known, hour, np.nan),
        distance_m=distance_m,
        moving_s=moving_s,
        race=(facts & RACE) > 0,
        place=np.where(indoors, INDOORS, np.where(on_trail, TRAIL, STREET)),
        with_others=(facts & WITH_OTHERS) > 0,
    )


def _answers(rows: Rows, of_runs: tuple[Runs, Floats], zone: ZoneInfo) -> Answers:
    runs, offset_s = of_runs
    columns = rows.answers
    mood_at = np.array(columns.mood_at, dtype=np.int64)
    # A "before" belongs to a run, too, but is no mood after it.
    moods = np.flatnonzero(mood_at != NEITHER)
    run = _rows_of(columns.run_id, runs.id)[moods]
    answered_s = np.array(columns.answered_s, dtype=np.float64)[moods]
    keys = set[str]().union(*rows.said)
    nothing = np.full(len(moods), np.nan)

    def told(key: str) -> Floats:
        return _told(rows.said, key)[moods] if key in keys else nothing

    return Answers(
        run=run,
        check_in=mood_at[moods] == AT_A_CHECK_IN,
        answered_s=answered_s,
        local_day=_local_days(answered_s, np.append(offset_s, np.nan)[run], zone),
        mood=told("mood"),
        stress=told("stress"),
        before=told("before"),
        company=told("company"),
        place=told("place"),
        focus={key: told(key) for key in FOCUS if key in keys},
        earlier=_earlier([columns.tags[place] for place in moods.tolist()], run, runs),
    )


def _rows_of(run_ids: Sequence[int | None], known: Ints) -> Ints:
    """Find the row of each run among the `known`, shape (m,); -1 if it is not there."""
    wanted = np.array([run_id or NO_RUN for run_id in run_ids], dtype=np.int64)
    order = np.argsort(known)
    row = np.append(order, -1)[np.searchsorted(known, wanted, sorter=order)]
    return np.where(np.append(known, NO_RUN)[row] == wanted, row, -1)


def _told(answers: Sequence[Mapping[str, int]], key: str) -> Floats:
    return np.array([answer.get(key, np.nan) for answer in answers], dtype=np.float64)


def _earlier(
    tags: Sequence[str | None], run: Ints, runs: Runs
) -> list[tuple[int, int]]:
    """Find the rows of (answer, run) where an answer is about earlier runs too."""
    named = [
        (answer, run_id)
        for answer, text in enumerate(tags)
        if text is not None and EARLIER_RUNS in text and run[answer] >= 0
        for run_id in json.loads(text)[EARLIER_RUNS]
    ]
    rows = _rows_of([run_id for _, run_id in named], runs.id).tolist()
    return [
        (answer, row)
        for (answer, _), row in zip(named, rows, strict=True)
        # A run that has gone may have left its number to quite another one.
        if row >= 0 and 0 < _apart_s(runs, row, run[answer]) < LONGEST_DAY_S
    ]


def _apart_s(runs: Runs, first: int, second: int) -> float:
    return float(runs.started_s[second] - runs.started_s[first])


def _local_days(answered_s: Floats, offset_s: Floats, zone: ZoneInfo) -> Ints:
    """Day numbers where the runner was: where the run was, else in their zone."""
    days = np.floor((answered_s + offset_s) / SECONDS_PER_DAY) + EPOCH_DAY
    without = np.isnan(offset_s)
    days[without] = [
        datetime.fromtimestamp(moment, zone).toordinal()
        for moment in answered_s[without].tolist()
    ]
    return days.astype(np.int64)
