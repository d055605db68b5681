"""One runner's runs and answers, ready to be drawn: rows in, plain values out.

Whole columns at once: a page with ten thousand runs opens in the time that a
hundred take elsewhere.
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sync.analytics import rows as of_runner
from sync.analytics.distances import Going, about, week_loads
from sync.analytics.kept import Kept
from sync.analytics.overview_rows import state_of
from sync.analytics.rows import (
    ASKED,
    EARLIER_RUNS,
    MANUAL,
    RACE,
    START_KNOWN,
    TREADMILL,
    WITH_OTHERS,
    Rows,
    RunColumns,
)
from sync.analytics.weeks import MONDAY, first_weekday
from sync.models import Runner
from sync.runtime import Runtime

ANSWERABLE_FOR = timedelta(hours=24)
DAY = timedelta(days=1)
_MOST_A_DAY = 50
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - on the runner's own clock
_NOTHING: Mapping[str, int] = {}
_SHOWN = (TREADMILL, MANUAL, RACE, WITH_OTHERS)
_MOST_KEPT = 8  # dashboards in the memory of one process


class RunRow(NamedTuple):
    """A run that counts.

    `week_m` is the distance of the 7 days up to and including it, `about_m` that
    of all the runs that its answer is about; `said` holds the answer's values
    and is empty without one.  `local_s` counts from 1970 on the clock where the
    run was; None where its time of day is hidden.
    """

    id: int
    strava_id: int | None
    sport: str
    local_s: float | None
    local_day: date
    distance_m: float
    moving_s: int
    week_m: float
    about_m: float
    treadmill: bool
    manual: bool
    race: bool
    with_others: bool
    device: str | None
    verdict: str | None
    reason: str | None
    minutes_since_end: int | None
    asked: bool
    said: Mapping[str, int]
    mood: int | None
    answered_minutes_after: int | None
    can_answer: bool

    @property
    def started_local(self) -> datetime | None:
        if self.local_s is None:
            return None
        return _EPOCH + timedelta(seconds=self.local_s)


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One of the runner's weeks, which begins on `day`."""

    day: date
    distance_m: float
    runs: int
    moods: tuple[int, ...]


@dataclass(frozen=True)
class Dashboard:
    """Everything that the pages draw.

    It holds for one `state` of the runner's rows, until the moment `good_until`
    when a day ends or a run can no longer be answered.
    """

    runs: Sequence[RunRow]
    weeks: Sequence[WeekRow]
    today: date
    asked: int
    answered: int
    first_weekday: int
    state: Hashable
    good_until: datetime

    @cached_property
    def answered_runs(self) -> list[RunRow]:
        return [run for run in self.runs if run.mood is not None]


def dashboard(runtime: Runtime, runner_id: int) -> Dashboard:
    """Gather everything that the runner's pages draw; from memory if it still holds."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        state = state_of(session, runner)
        key = (runner_id, state, None)
        kept = KEPT.find(runtime.db, key)
        if kept is not None and now < kept.good_until:
            return kept
        vault = runtime.sealer.vault(runner.vault_key)
        rows = of_runner.read(session, runner_id, vault, for_page=True)
        version = (runner.vault_key, runner.data_version)
    of_runner.KEPT.keep(runtime.db, (runner_id, version, None), rows)
    runs = _run_rows(rows, now=now)
    first = first_weekday(runner.preferences)
    found = Dashboard(
        runs=runs,
        weeks=weekly(runs, first),
        today=(now + _last_offset(rows)).date(),
        asked=sum(run.asked for run in runs),
        answered=sum(run_id is not None for run_id in rows.answers.run_id),
        first_weekday=first,
        state=state,
        good_until=_good_until(rows, now),
    )
    KEPT.keep(runtime.db, key, found)
    return found


def _good_until(rows: Rows, now: datetime) -> datetime:
    offset = _last_offset(rows)
    here = now + offset
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    over = [end + ANSWERABLE_FOR for end in _latest_ends(rows)]
    return min([midnight + DAY - offset, *(end for end in over if end > now)])


def _latest_ends(rows: Rows) -> list[datetime]:
    lately = slice(-_MOST_A_DAY, None)
    times = zip(rows.runs.started_s[lately], rows.runs.elapsed_s[lately], strict=True)
    return [datetime.fromtimestamp(begun + took, UTC) for begun, took in times]


def weekly(runs: Sequence[RunRow], first: int = MONDAY) -> list[WeekRow]:
    """Return every week from the first run's to the last's, empty ones too."""
    by_week: dict[int, list[RunRow]] = defaultdict(list)
    for run in runs:
        day = run.local_day.toordinal()
        by_week[day - (day - 1 - first) % 7].append(run)
    if not by_week:
        return []
    return [
        WeekRow(
            day=date.fromordinal(day),
            distance_m=sum([run.distance_m for run in by_week[day]]),
            runs=len(by_week[day]),
            moods=tuple([run.mood for run in by_week[day] if run.mood is not None]),
        )
        for day in range(min(by_week), max(by_week) + 1, 7)
    ]


def _run_rows(rows: Rows, *, now: datetime) -> list[RunRow]:
    runs, facts = rows.runs, rows.runs.facts
    said = dict(zip(rows.answers.run_id, rows.said, strict=True))
    minutes = dict(
        zip(rows.answers.run_id, rows.answers.minutes_since_end, strict=True)
    )
    answers = [said.get(run_id, _NOTHING) for run_id in runs.id]
    columns: Sequence[Iterable[object]] = (
        runs.id,
        runs.strava_id,
        runs.sport,
        _local_s(runs),
        map(date.fromordinal, runs.local_day),
        runs.distance_m,
        runs.moving_s,
        *_sums(rows),
        *([bool(one & fact) for one in facts] for fact in _SHOWN),
        runs.device,
        runs.verdict,
        runs.reason,
        runs.minutes_since_end,
        [bool(one & ASKED) for one in facts],
        answers,
        [answer.get("mood") for answer in answers],
        map(minutes.get, runs.id),
        _can_answer(runs, now),
    )
    return list(map(RunRow._make, zip(*columns, strict=True)))


def _local_s(runs: RunColumns) -> list[float | None]:
    """Return when each run began on the clocks around it; None if that is hidden."""
    times = zip(runs.started_s, runs.offset_s, runs.facts, strict=True)
    return [
        started_s + offset_s if facts & START_KNOWN else None
        for started_s, offset_s, facts in times
    ]


def _can_answer(runs: RunColumns, now: datetime) -> list[bool]:
    since_s = (now - ANSWERABLE_FOR).timestamp()
    times = zip(runs.started_s, runs.elapsed_s, strict=True)
    return [started_s + elapsed_s >= since_s for started_s, elapsed_s in times]


def _sums(rows: Rows) -> tuple[list[float], list[float]]:
    """Return week_m and about_m of each run."""
    runs = rows.runs
    known = [bool(facts & START_KNOWN) for facts in runs.facts]
    times = zip(runs.started_s, runs.elapsed_s, known, strict=True)
    ends = [begun + took if is_known else None for begun, took, is_known in times]
    columns = (runs.id, runs.started_s, ends, runs.local_day, runs.distance_m)
    going = list(map(Going._make, zip(*columns, strict=True)))
    earlier = {
        run_id: json.loads(tags)[EARLIER_RUNS]
        for run_id, tags in zip(rows.answers.run_id, rows.answers.tags, strict=True)
        if run_id is not None and tags is not None and EARLIER_RUNS in tags
    }
    return week_loads(going), about(going, earlier)


def _last_offset(rows: Rows) -> timedelta:
    """Return how far the clocks are from UTC where the runner last ran."""
    return timedelta(seconds=rows.runs.offset_s[-1] if rows.runs.id else 0)


KEPT: Kept[Dashboard] = Kept(_MOST_KEPT)
