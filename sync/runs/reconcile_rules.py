"""When to reconcile with Strava's list, and what a list page proves.  Pure."""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.runs.rules import differs
from sync.strava import ActivityPage, RemoteRun

LOOK_BACK = timedelta(days=14)
FULL_INTERVAL = timedelta(days=28)
DAILY_INTERVAL = timedelta(days=1)
FULL_PAGE = 200
MIN_RUNS_TO_DOUBT = 5
MIN_RUNS_FOR_HABIT = 5
MIN_HOUR_SHARE = 0.1
OFF_HOURS_FACTOR = 6
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CoveredRange:
    """The starts, both ends excluded, that a page covers whole."""

    since: datetime
    until: datetime

    def covers(self, started_at: datetime) -> bool:
        return self.since < started_at < self.until


@dataclass(frozen=True, slots=True)
class ListComparison:
    """What a page says against our rows."""

    changed_runs: Sequence[RemoteRun]
    other_ids: Sequence[int]
    missing_ids: Sequence[int]
    is_doubtful: bool


def recent_range(
    page: ActivityPage, *, since: datetime, until: datetime
) -> CoveredRange:
    """Return what the one page of the look-back covers.

    A page that is not full is taken as the last one; who is missing from it
    wrongly is asked for alone before anything goes.
    """
    if page.size < FULL_PAGE or not page.runs:
        return CoveredRange(since, until)
    return CoveredRange(page.runs[-1].started_at, until)


def next_range(page: ActivityPage, *, down_to: datetime) -> CoveredRange:
    """Return what a page of the full comparison covers: only an empty one ends it."""
    if page.size == 0:
        return CoveredRange(EARLIEST, down_to)
    since = page.runs[-1].started_at if page.runs else down_to
    return CoveredRange(min(since, down_to), down_to)


def compare(
    known_rows: Collection[Mapping[str, Any]], page: ActivityPage, covered: CoveredRange
) -> ListComparison:
    """Tell what to store, what is a run no longer, and what the page leaves out.

    `known_rows` are rows of the run table, each with every column.
    """
    rows = {row["source_id"]: row for row in known_rows}
    listed_ids = {run.id for run in page.runs} | {
        activity.id for activity in page.unreadable
    }
    other_ids = {activity.id for activity in page.other_activities}
    expected_ids = [
        source_id
        for source_id, row in rows.items()
        if covered.covers(row["started_at"]) and row["hidden_at"] is None
    ]
    missing_ids = [
        source_id for source_id in expected_ids if source_id not in listed_ids
    ]
    changed_runs = []
    for run in page.runs:
        row = rows.get(run.id)
        if (
            row is None
            or row["hidden_at"] is not None
            or row["from_file"]
            or differs(row, run)
        ):
            changed_runs.append(run)
    return ListComparison(
        changed_runs=changed_runs,
        other_ids=sorted(other_ids & rows.keys()),
        missing_ids=[
            source_id for source_id in missing_ids if source_id not in other_ids
        ],
        is_doubtful=MIN_RUNS_TO_DOUBT <= len(expected_ids) == len(missing_ids),
    )


@dataclass(frozen=True, slots=True)
class FinishHabit:
    """The local hours at which a runner usually finishes, and where they are."""

    hours: frozenset[int]
    offset_s: int


def learn_habit(finishes: Sequence[tuple[datetime, int]]) -> FinishHabit:
    """Learn a habit from (end, offset in seconds) of runs, the newest first."""
    if len(finishes) < MIN_RUNS_FOR_HABIT:
        return FinishHabit(frozenset(range(24)), finishes[0][1] if finishes else 0)
    hours = Counter(
        (end + timedelta(seconds=offset_s)).hour for end, offset_s in finishes
    )
    usual_hours = {
        hour for hour, times in hours.items() if times >= MIN_HOUR_SHARE * len(finishes)
    }
    # A watch may need its time to upload.
    return FinishHabit(
        frozenset(
            (hour + hours_after) % 24 for hour in usual_hours for hours_after in (0, 1)
        ),
        finishes[0][1],
    )


def next_reconcile_at(
    now: datetime, *, poll_interval: timedelta | None, habit: FinishHabit
) -> datetime:
    """Return when to look at a runner's list again.

    Daily at least; with polling often in the hours when the runner usually
    finishes and seldom in the others.
    """
    daily = now + DAILY_INTERVAL * random.uniform(0.95, 1.0)  # noqa: S311
    if poll_interval is None:
        return daily
    local = now + timedelta(seconds=habit.offset_s)
    if local.hour in habit.hours:
        return min(now + poll_interval, daily)
    whole_hour = local.replace(minute=0, second=0, microsecond=0)
    to_usual = next(
        whole_hour + timedelta(hours=hours_ahead) - local
        for hours_ahead in range(1, 25)
        if (local.hour + hours_ahead) % 24 in habit.hours
    )
    return min(
        now + OFF_HOURS_FACTOR * poll_interval,
        now + max(to_usual, poll_interval),
        daily,
    )
