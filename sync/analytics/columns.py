"""One runner's rows as arrays of numbers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import compress
from zoneinfo import ZoneInfo

import numpy as np

from sync.analytics.focus import FOCUS
from sync.analytics.history import (
    INDOORS,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    STREET,
    TRAIL,
    Answers,
    History,
    Runs,
)
from sync.analytics.rows import (
    EARLIER_RUNS,
    MOOD_KINDS,
    RACE,
    RUN,
    START_KNOWN,
    TREADMILL,
    WITH_OTHERS,
    AnswerColumns,
    Rows,
    RunColumns,
)
from sync.analytics.series import Floats, Ints
from sync.analytics.weeks import MONDAY

LONGEST_DAY_S = 36 * SECONDS_PER_HOUR
EPOCH_DAY = date(1970, 1, 1).toordinal()


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
    known = (facts & START_KNOWN) > 0
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
        place=_places(columns.sport, facts),
        with_others=(facts & WITH_OTHERS) > 0,
    )


def _places(sports: Sequence[str], facts: Ints) -> Ints:
    sport = np.array(sports, dtype=np.str_)
    indoors = ((facts & TREADMILL) > 0) | (sport == "VirtualRun")
    return np.where(indoors, INDOORS, np.where(sport == "TrailRun", TRAIL, STREET))


def _answers(rows: Rows, of_runs: tuple[Runs, Floats], zone: ZoneInfo) -> Answers:
    runs, offset_s = of_runs
    place_of = {run_id: place for place, run_id in enumerate(runs.id.tolist())}
    # A "before" belongs to a run, too, but is no mood after it.
    moods = [kind in MOOD_KINDS for kind in rows.answers.kind]
    columns = AnswerColumns._make(list(compress(one, moods)) for one in rows.answers)
    run = np.array([place_of.get(run_id or 0, -1) for run_id in columns.run_id])
    run = run.astype(np.int64)
    answered_s = np.array(columns.answered_s, dtype=np.float64)
    said = list(compress(rows.said, moods))
    keys = set[str]().union(*said)
    return Answers(
        id=np.array(columns.id, dtype=np.int64),
        run=run,
        check_in=np.array([kind != RUN for kind in columns.kind], dtype=bool),
        answered_s=answered_s,
        local_day=_local_days(answered_s, np.append(offset_s, np.nan)[run], zone),
        mood=_said(said, "mood"),
        stress=_said(said, "stress"),
        before=_said(said, "before"),
        company=_said(said, "company"),
        place=_said(said, "place"),
        focus={key: _said(said, key) for key in FOCUS if key in keys},
        earlier=_earlier(columns.tags, run, runs, place_of),
    )


def _said(answers: Sequence[Mapping[str, int]], key: str) -> Floats:
    return np.array([answer.get(key, np.nan) for answer in answers], dtype=np.float64)


def _earlier(
    tags: Sequence[str | None], run: Ints, runs: Runs, place_of: Mapping[int, int]
) -> list[tuple[int, int]]:
    """Find the rows of (answer, run) where an answer is about earlier runs too."""
    found = []
    for answer, text in enumerate(tags):
        if text is None or EARLIER_RUNS not in text or run[answer] < 0:
            continue
        own_s = runs.started_s[run[answer]]
        places = [place_of.get(run_id) for run_id in json.loads(text)[EARLIER_RUNS]]
        # A run that has gone may have left its number to quite another one.
        found += [
            (answer, place)
            for place in places
            if place is not None and 0 < own_s - runs.started_s[place] < LONGEST_DAY_S
        ]
    return found


def _local_days(answered_s: Floats, offset_s: Floats, zone: ZoneInfo) -> Ints:
    """Day numbers where the runner was: where the run was, else in their zone."""
    days = np.floor((answered_s + offset_s) / SECONDS_PER_DAY) + EPOCH_DAY
    for place in np.flatnonzero(np.isnan(offset_s)):
        moment = datetime.fromtimestamp(answered_s[place], zone)
        days[place] = moment.toordinal()
    return days.astype(np.int64)
