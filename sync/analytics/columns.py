"""One runner's rows as columns of numbers, each answer opened once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sync.analytics.focus import FOCUS
from sync.analytics.history import (
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    Answers,
    History,
    Runs,
)
from sync.analytics.series import Floats, Ints
from sync.analytics.store import PLACES, RACE, RUN, START_KNOWN, WITH_COMPANY
from sync.analytics.weeks import MONDAY
from sync.crypto import Vault

EARLIER_RUNS = "earlier_runs"
LONGEST_DAY_S = 36 * SECONDS_PER_HOUR
EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class About:
    """What a history needs besides its rows."""

    zone: ZoneInfo
    asked: int
    today: int
    first_weekday: int = MONDAY


def history_of(
    runs: Floats, answers: Sequence[Any], vault: Vault, *, about: About
) -> History:
    """Turn rows into columns, opening each answer once."""
    counted = _runs(runs)
    return History(
        runs=counted,
        answers=_answers(answers, vault, (counted, runs[:, 2]), about.zone),
        asked=about.asked,
        today=about.today,
        first_weekday=about.first_weekday,
    )


def _runs(rows: Floats) -> Runs:
    run_id, started_s, offset_s, day, distance_m, moving_s, elapsed_s, bits = rows.T
    facts = bits.astype(np.int64)
    known = (facts & START_KNOWN) > 0
    hour = (started_s + offset_s) / SECONDS_PER_HOUR % 24
    return Runs(
        id=run_id.astype(np.int64),
        started_s=started_s,
        ended_s=np.where(known, started_s + elapsed_s, np.nan),
        local_day=day.astype(np.int64),
        start_hour=np.where(known, hour, np.nan),
        distance_m=distance_m,
        moving_s=moving_s,
        race=(facts & RACE) > 0,
        place=facts // PLACES,
        with_others=(facts & WITH_COMPANY) > 0,
    )


def _answers(
    rows: Sequence[Any], vault: Vault, of_runs: tuple[Runs, Floats], zone: ZoneInfo
) -> Answers:
    runs, offset_s = of_runs
    place_of = {run_id: place for place, run_id in enumerate(runs.id.tolist())}
    columns = zip(*rows, strict=True) if rows else [()] * 6
    run_ids, ids, moments, kinds, sealed, tags = columns
    run = np.array([place_of.get(run_id, -1) for run_id in run_ids], dtype=np.int64)
    answered_s = np.array(moments, dtype=np.float64)
    said = vault.open_all(sealed)
    keys = set[str]().union(*said)
    return Answers(
        id=np.array(ids, dtype=np.int64),
        run=run,
        check_in=np.array([kind != RUN for kind in kinds], dtype=bool),
        answered_s=answered_s,
        local_day=_local_days(answered_s, np.append(offset_s, np.nan)[run], zone),
        mood=_said(said, "mood"),
        stress=_said(said, "stress"),
        before=_said(said, "before"),
        company=_said(said, "company"),
        place=_said(said, "place"),
        focus={key: _said(said, key) for key in FOCUS if key in keys},
        earlier=_earlier(tags, run, runs, place_of),
    )


def _said(answers: Sequence[Mapping[str, Any]], key: str) -> Floats:
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
