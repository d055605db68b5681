"""One runner's runs and answers, ready to be drawn: rows in, plain values out.

One query a table and no ORM entities: a page with ten thousand runs opens in
the time that a hundred take elsewhere.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from sync.analytics.distances import WEEK, Going, about, week_loads
from sync.analytics.kept import Kept
from sync.analytics.overview_rows import answer_rows, run_rows, state_of
from sync.analytics.weeks import MONDAY, first_weekday, week_of
from sync.models import Runner
from sync.runtime import Runtime

ANSWERABLE_FOR = timedelta(hours=24)
DAY = timedelta(days=1)
_LONGEST = timedelta(days=30)
_MOST_A_DAY = 50
_MOST_KEPT = 8  # dashboards in the memory of one process


class RunRow(NamedTuple):
    """A run that counts.

    `week_m` is the distance of the 7 days up to and including it, `about_m` that
    of all the runs that its answer is about; `said` holds the answer's values
    and is empty without one.
    """

    id: int
    strava_id: int | None
    sport: str
    started_local: datetime | None
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
    answered_minutes_after: int | None
    can_answer: bool

    @property
    def mood(self) -> int | None:
        return self.said.get("mood")


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
        rows = run_rows(session, runner_id)
        vault = runtime.sealer.vault(runner.vault_key)
        answers = answer_rows(session, runner_id)
    said = {
        run_id: (opened, minutes)
        for opened, (run_id, _, minutes, _) in zip(
            vault.open_all([sealed for _, sealed, _, _ in answers]),
            answers,
            strict=True,
        )
    }
    runs = [
        _run_row(row, sums, said.get(row.id), now=now)
        for row, sums in zip(rows, _sums(rows, answers), strict=True)
    ]
    first = first_weekday(runner.preferences)
    found = Dashboard(
        runs=runs,
        weeks=weekly(runs, first),
        today=_today(rows, now),
        asked=sum(run.asked for run in runs),
        answered=len(said),
        first_weekday=first,
        state=state,
        good_until=_good_until(rows, now),
    )
    KEPT.keep(runtime.db, key, found)
    return found


def _good_until(rows: Sequence[Any], now: datetime) -> datetime:
    offset = timedelta(seconds=rows[-1].offset_s if rows else 0)
    here = now + offset
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    over = [_end(row) + ANSWERABLE_FOR for row in rows[-_MOST_A_DAY:]]
    return min([midnight + DAY - offset, *(end for end in over if end > now)])


def weekly(runs: Sequence[RunRow], first: int = MONDAY) -> list[WeekRow]:
    """Return every week from the first run's to the last's, empty ones too."""
    by_week: dict[date, list[RunRow]] = defaultdict(list)
    for run in runs:
        by_week[week_of(run.local_day, first)].append(run)
    if not by_week:
        return []
    count = (max(by_week) - min(by_week)).days // 7 + 1
    days = [min(by_week) + WEEK * step for step in range(count)]
    return [
        WeekRow(
            day=day,
            distance_m=sum(run.distance_m for run in by_week[day]),
            runs=len(by_week[day]),
            moods=tuple(run.mood for run in by_week[day] if run.mood is not None),
        )
        for day in days
    ]


def _sums(rows: Sequence[Any], answers: Sequence[Any]) -> list[tuple[float, float]]:
    """Return (week_m, about_m) of each run."""
    runs = [
        Going(
            row.id,
            row.started_at,
            _end(row) if row.start_known else None,
            row.local_day,
            row.distance_m,
        )
        for row in rows
    ]
    earlier = {run_id: tags.get("earlier_runs", ()) for run_id, _, _, tags in answers}
    return list(zip(week_loads(runs), about(runs, earlier), strict=True))


def _end(row: Any) -> datetime:
    ended_at: datetime = row.started_at + timedelta(seconds=row.elapsed_s)
    return ended_at


def _run_row(
    row: Any,
    sums: tuple[float, float],
    answer: tuple[dict[str, int], int | None] | None,
    *,
    now: datetime,
) -> RunRow:
    said, minutes = answer or ({}, None)
    week_m, about_m = sums
    local = (row.started_at + timedelta(seconds=row.offset_s)).replace(tzinfo=None)
    return RunRow(
        id=row.id,
        strava_id=row.source_id if row.source == "strava" else None,
        sport=row.sport,
        started_local=local if row.start_known else None,
        local_day=row.local_day,
        distance_m=row.distance_m,
        moving_s=row.moving_s,
        week_m=week_m,
        about_m=about_m,
        treadmill=row.treadmill,
        manual=row.manual,
        race=row.race,
        with_others=row.with_others,
        device=row.device,
        verdict=row.verdict,
        reason=row.reason,
        minutes_since_end=row.minutes_since_end,
        asked=row.sent_at is not None,
        said=said,
        answered_minutes_after=minutes,
        # Most runs began too long ago to look any closer.
        can_answer=row.started_at > now - _LONGEST
        and _end(row) >= now - ANSWERABLE_FOR,
    )


def _today(rows: Sequence[Any], now: datetime) -> date:
    """Return the date where the runner last ran."""
    offset_s = rows[-1].offset_s if rows else 0
    return (now + timedelta(seconds=offset_s)).date()


KEPT: Kept[Dashboard] = Kept(_MOST_KEPT)
