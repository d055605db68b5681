"""When to compare with Strava's list, and what a list page proves.  Pure."""

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sync.runs.rules import differs
from sync.strava import Page, RemoteRun

LOOK_BACK = timedelta(days=14)
FULL_EVERY = timedelta(days=28)
DAILY = timedelta(days=1)
FULL_PAGE = 200
ENOUGH_TO_DOUBT = 5
ENOUGH_TO_KNOW = 5
USUAL_SHARE = 0.1
SELDOM = 6
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """One run of ours in the stretch that is compared."""

    source_id: int
    started_at: datetime
    is_hidden: bool
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The starts, both ends excluded, that a page covers whole."""

    since: datetime
    until: datetime

    def covers(self, started_at: datetime) -> bool:
        return self.since < started_at < self.until


@dataclass(frozen=True, slots=True)
class Findings:
    """What a page says against our rows."""

    save: Sequence[RemoteRun]
    no_runs: Sequence[int]
    missing: Sequence[int]
    is_doubtful: bool


def recent(page: Page, *, since: datetime, until: datetime) -> Stretch:
    """Return what the one page of the look-back covers.

    A page that is not full is taken as the last one; who is missing from it
    wrongly is asked for alone before anything goes.
    """
    if page.size < FULL_PAGE or not page.runs:
        return Stretch(since, until)
    return Stretch(page.runs[-1].started_at, until)


def next_stretch(page: Page, *, down_to: datetime) -> Stretch:
    """Return what a page of the full comparison covers: only an empty one ends it."""
    if page.size == 0:
        return Stretch(EARLIEST, down_to)
    since = page.runs[-1].started_at if page.runs else down_to
    return Stretch(min(since, down_to), down_to)


def compare(known: Collection[Known], page: Page, stretch: Stretch) -> Findings:
    """Tell what to store, what is a run no longer, and what the page leaves out."""
    rows = {row.source_id: row for row in known}
    listed = {run.id for run in page.runs} | {one.id for one in page.unreadable}
    no_runs = {one.id for one in page.others}
    expected = [
        row for row in known if stretch.covers(row.started_at) and not row.is_hidden
    ]
    missing = [row.source_id for row in expected if row.source_id not in listed]
    return Findings(
        save=[run for run in page.runs if _is_news(rows.get(run.id), run)],
        no_runs=sorted(no_runs & rows.keys()),
        missing=[source_id for source_id in missing if source_id not in no_runs],
        is_doubtful=ENOUGH_TO_DOUBT <= len(expected) == len(missing),
    )


def _is_news(row: Known | None, run: RemoteRun) -> bool:
    return row is None or row.is_hidden or differs(row.columns, run)


@dataclass(frozen=True, slots=True)
class Habit:
    """The local hours at which a runner usually finishes, and where they are."""

    hours: frozenset[int]
    offset_s: int


def habit(finishes: Sequence[tuple[datetime, int]]) -> Habit:
    """Learn a habit from (end, offset in seconds) of runs, the newest first."""
    if len(finishes) < ENOUGH_TO_KNOW:
        return Habit(frozenset(range(24)), finishes[0][1] if finishes else 0)
    hours = Counter(
        (end + timedelta(seconds=offset_s)).hour for end, offset_s in finishes
    )
    usual = {
        hour for hour, times in hours.items() if times >= USUAL_SHARE * len(finishes)
    }
    # A watch may need its time to upload.
    return Habit(
        frozenset((hour + later) % 24 for hour in usual for later in (0, 1)),
        finishes[0][1],
    )


def next_look(now: datetime, *, poll: timedelta | None, habit: Habit) -> datetime:
    """Return when to look at a runner's list again.

    Daily at least; with polling often in the hours when the runner usually
    finishes and seldom in the others.
    """
    daily = now + DAILY * random.uniform(0.95, 1.0)  # noqa: S311
    if poll is None:
        return daily
    local = now + timedelta(seconds=habit.offset_s)
    if local.hour in habit.hours:
        return min(now + poll, daily)
    whole_hour = local.replace(minute=0, second=0, microsecond=0)
    to_usual = next(
        whole_hour + timedelta(hours=later) - local
        for later in range(1, 25)
        if (local.hour + later) % 24 in habit.hours
    )
    return min(now + SELDOM * poll, now + max(to_usual, poll), daily)
