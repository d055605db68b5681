"""A runner's rows as the arrays of a `History`."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from sync.analytics.dataset.distances import compute_week_loads, find_sessions
from sync.analytics.dataset.history import (
    HOURS_PER_DAY,
    INDOORS,
    NO_RUN,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    STREET,
    TRAIL,
    AnswerArrays,
    DelayArrays,
    History,
    PreRunArrays,
    RunArrays,
)
from sync.analytics.dataset.load import (
    EARLIER_RUNS,
    MOOD_AFTER_RUN,
    MOOD_AT_CHECK_IN,
    MOOD_BEFORE_RUN,
    ON_TRAIL,
    RACE,
    START_KNOWN,
    TREADMILL,
    VIRTUAL,
    WITH_OTHERS,
    DelayColumns,
    RunColumns,
    RunnerRows,
)
from sync.analytics.dataset.weeks import MONDAY
from sync.analytics.stats.series import Floats, Ints
from sync.runners.retained_runs import RETAINED_KEYS

MAX_ODDS_ERROR = 1e-6
MAX_DAY_S = 36 * SECONDS_PER_HOUR
EPOCH_DAY = date(1970, 1, 1).toordinal()
_KEYS_WITH_COLUMN = frozenset(
    {"mood", "stress", "before", "company", "place", "race", *RETAINED_KEYS}
)


@dataclass(frozen=True, slots=True)
class HistoryContext:
    """What a history needs besides its rows."""

    zone: ZoneInfo
    asked_count: int
    today: int
    first_weekday: int = MONDAY
    metres_per_unit: float = 1000.0


def build_history(rows: RunnerRows, *, context: HistoryContext) -> History:
    """Turn one runner's rows into arrays."""
    runs = _build_runs(rows.runs)
    answers = _build_answers(rows, runs, context.zone)
    return History(
        runs=runs,
        answers=answers,
        asked_count=context.asked_count,
        today=context.today,
        first_weekday=context.first_weekday,
        metres_per_unit=context.metres_per_unit,
        delays=_build_delays(rows.delays, runs, answers),
        pre_run=_build_pre_run(rows),
    )


@dataclass(frozen=True, slots=True)
class RunDistances:
    """Metres for each run, oldest first: of its week, and of its answer's runs."""

    week_m: list[float]
    about_m: list[float]


def sum_run_distances(rows: RunnerRows) -> RunDistances:
    """Add up for each run's row what `History` adds up for each answer."""
    columns = rows.runs
    started_s, distance_m = _floats(columns.started_s), _floats(columns.distance_m)
    ended_s = _find_ends(columns)
    tagged = [
        (run_id, tags)
        for run_id, tags in zip(rows.answers.run_id, rows.answers.tags, strict=True)
        if run_id is not None and tags is not None
    ]
    ids = np.array(columns.id, dtype=np.int64)
    own_rows = _find_rows([run_id for run_id, _ in tagged], ids)
    about_m = find_sessions(started_s, ended_s).sum_answers(
        distance_m,
        np.arange(len(ids)),
        [
            (int(own_rows[index]), row)
            for index, row in _find_earlier_runs(
                [tags for _, tags in tagged], own_rows, ids, started_s
            )
        ],
    )
    week_m = compute_week_loads(distance_m, columns.local_day)
    return RunDistances(week_m.tolist(), about_m.tolist())


def _floats(values: Sequence[float]) -> Floats:
    return np.array(values, dtype=np.float64)


def _find_ends(columns: RunColumns) -> Floats:
    """Return when each run ended, shape (n,); nan where its start is hidden."""
    ended_s = _floats(columns.started_s) + _floats(columns.elapsed_s)
    ended_s[(np.array(columns.flags, dtype=np.int64) & START_KNOWN) == 0] = np.nan
    return ended_s


def _build_runs(columns: RunColumns) -> RunArrays:
    started_s, offset_s = _floats(columns.started_s), _floats(columns.offset_s)
    flags = np.array(columns.flags, dtype=np.int64)
    is_start_known, is_indoors, is_on_trail = (
        (flags & flag) > 0 for flag in (START_KNOWN, TREADMILL | VIRTUAL, ON_TRAIL)
    )
    hour = (started_s + offset_s) / SECONDS_PER_HOUR % 24
    return RunArrays(
        id=np.array(columns.id, dtype=np.int64),
        started_s=started_s,
        ended_s=_find_ends(columns),
        local_day=np.array(columns.local_day, dtype=np.int64),
        start_hour=np.where(is_start_known, hour, np.nan),
        distance_m=_floats(columns.distance_m),
        moving_s=_floats(columns.moving_s),
        is_race=(flags & RACE) > 0,
        place=np.where(is_indoors, INDOORS, np.where(is_on_trail, TRAIL, STREET)),
        is_with_others=(flags & WITH_OTHERS) > 0,
    )


def _build_answers(rows: RunnerRows, runs: RunArrays, zone: ZoneInfo) -> AnswerArrays:
    columns, offset_s = rows.answers, _floats(rows.runs.offset_s)
    mood_at = np.array(columns.mood_source, dtype=np.int64)
    # A "before" is no mood after a run, and has arrays of its own.
    mood_rows = np.flatnonzero(
        (mood_at == MOOD_AFTER_RUN) | (mood_at == MOOD_AT_CHECK_IN)
    )
    run_index = _find_rows(columns.run_id, runs.id)[mood_rows]
    answered_s = np.array(columns.answered_s, dtype=np.float64)[mood_rows]
    # The local day is the one at the run's offset; without a run, in the zone.
    answer_offset_s = np.append(offset_s, np.nan)[run_index]
    has_no_run = np.isnan(answer_offset_s)
    answer_offset_s[has_no_run] = [
        _find_offset_s(moment, zone) for moment in answered_s[has_no_run].tolist()
    ]
    days_since_epoch = (answered_s + answer_offset_s) / SECONDS_PER_DAY
    local_day = np.floor(days_since_epoch)
    given_keys = set[str]().union(*rows.answer_values)
    missing = np.full(len(mood_rows), np.nan)

    def answer_column(key: str) -> Floats:
        if key not in given_keys:
            return missing
        return _floats([answer.get(key, np.nan) for answer in rows.answer_values])[
            mood_rows
        ]

    return AnswerArrays(
        run=run_index,
        is_checkin=mood_at[mood_rows] == MOOD_AT_CHECK_IN,
        answered_s=answered_s,
        local_day=local_day.astype(np.int64) + EPOCH_DAY,
        local_hour=HOURS_PER_DAY * (days_since_epoch - local_day),
        mood=answer_column("mood"),
        stress=answer_column("stress"),
        before=answer_column("before"),
        company=answer_column("company"),
        place=answer_column("place"),
        focus={
            key: answer_column(key) for key in sorted(given_keys - _KEYS_WITH_COLUMN)
        },
        race=answer_column("race") if "race" in given_keys else np.zeros(0),
        earlier_runs=_find_earlier_runs(
            [columns.tags[index] for index in mood_rows.tolist()],
            run_index,
            runs.id,
            runs.started_s,
        ),
    )


def _read_odds(text: str, delay_h: int) -> dict[int, float]:
    """Return the odds of a draw by hours; none if it could not have come out so."""
    try:
        odds = {int(hours): float(share) for hours, share in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
    is_possible = odds.get(delay_h, 0.0) > 0 and min(odds.values()) >= 0
    return odds if is_possible and abs(sum(odds.values()) - 1) < MAX_ODDS_ERROR else {}


def _build_delays(
    columns: DelayColumns, runs: RunArrays, answers: AnswerArrays
) -> DelayArrays:
    odds_by_delay = [
        _read_odds(text, delay_h)
        for text, delay_h in zip(columns.odds, columns.delay_h, strict=True)
    ]
    readable = [index for index, odds in enumerate(odds_by_delay) if odds]
    if not readable:
        return DelayArrays()
    columns = DelayColumns._make(
        [column[index] for index in readable] for column in columns
    )
    odds_by_delay = [odds_by_delay[index] for index in readable]
    offered_h = sorted(set[int]().union(*odds_by_delay))
    run_index = _find_rows(columns.run_id, runs.id)
    answer_index = np.full(len(runs.id) + 1, -1)
    is_after_run = answers.run >= 0
    answer_index[answers.run[is_after_run]] = np.flatnonzero(is_after_run)
    return DelayArrays(
        run=run_index,
        answer=np.where(run_index >= 0, answer_index[run_index], -1),
        delay_h=np.array(columns.delay_h, dtype=np.int64),
        offered_h=np.array(offered_h, dtype=np.int64),
        odds=np.array(
            [[odds.get(hours, 0.0) for hours in offered_h] for odds in odds_by_delay]
        ),
        asks_s=_floats(columns.asks_s),
        is_sent=np.array(columns.is_sent, dtype=np.bool_),
        is_answered=np.array(columns.is_answered, dtype=np.bool_),
    )


def _find_offset_s(moment: float, zone: ZoneInfo) -> float:
    """Return the seconds by which the zone's clocks were ahead of UTC."""
    offset = datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()
    return offset.total_seconds()


def _build_pre_run(rows: RunnerRows) -> PreRunArrays:
    sources = rows.answers.mood_source
    indices = [index for index, at in enumerate(sources) if at == MOOD_BEFORE_RUN]
    return PreRunArrays(
        _floats([rows.answers.answered_s[index] for index in indices]),
        _floats([rows.answer_values[index].get("mood", np.nan) for index in indices]),
    )


def _find_rows(run_ids: Sequence[int | None], known_ids: Ints) -> Ints:
    """Return the row of each run among `known_ids`, shape (m,); -1 if it is missing."""
    ids = np.array([run_id or NO_RUN for run_id in run_ids], dtype=np.int64)
    order = np.argsort(known_ids)
    row = np.append(order, -1)[np.searchsorted(known_ids, ids, sorter=order)]
    return np.where(np.append(known_ids, NO_RUN)[row] == ids, row, -1)


def _find_earlier_runs(
    tags: Iterable[str | None], run: Ints, run_ids: Ints, started_s: Floats
) -> list[tuple[int, int]]:
    """Return the rows of (answer, run) where an answer is about earlier runs too.

    `run`, shape (m,), is the row of each answer's run; `run_ids` and `started_s`,
    shape (n,), describe the runs.
    """
    references = [
        (answer, run_id)
        for answer, text in enumerate(tags)
        if text is not None and EARLIER_RUNS in text and run[answer] >= 0
        for run_id in json.loads(text)[EARLIER_RUNS]
    ]
    rows = _find_rows([run_id for _, run_id in references], run_ids).tolist()
    return [
        (answer, row)
        for (answer, _), row in zip(references, rows, strict=True)
        # A deleted run may have left its number to quite another one.
        if row >= 0 and 0 < started_s[run[answer]] - started_s[row] < MAX_DAY_S
    ]
