"""One runner's runs and answers, ready to be drawn: rows in, plain values out."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sync.analytics.dataset import load as of_runner
from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.load import RunnerRows
from sync.analytics.dataset.run_rows import RunTable, build_run_table
from sync.analytics.dataset.weeks import MONDAY
from sync.models import Runner
from sync.run_timing import ANSWER_WINDOW
from sync.runtime import Runtime

DAY = timedelta(days=1)
_MAX_RUNS_PER_DAY = 50
_MAX_CACHED = 8  # dashboards in the memory of one process


class WeekRow(NamedTuple):
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

    runs: RunTable
    weeks: Sequence[WeekRow]
    today: date
    answered_count: int
    first_weekday: int
    state: Hashable
    valid_until: datetime

    @cached_property
    def answered_runs(self) -> RunTable:
        return self.runs.select([mood is not None for mood in self.runs.derived.mood])


def load_dashboard(runtime: Runtime, runner_id: int) -> Dashboard:
    """Gather everything that the runner's pages draw; from memory if it still holds."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        state = (runner.vault_key, runner.data_version)
        key = (runner_id, state, None)
        cached = DASHBOARD_CACHE.get(runtime.db, key)
        if cached is not None and now < cached.valid_until:
            return cached
        vault = runtime.sealer.open_vault(runner.vault_key)
        rows = of_runner.read_rows(session, runner_id, vault, for_page=True)
    of_runner.ROWS_CACHE.put(runtime.db, key, rows)
    runs = build_run_table(rows, now=now)
    week_starts_on = runner.preferences.week_starts.weekday
    fresh = Dashboard(
        runs=runs,
        weeks=summarize_weeks(runs, week_starts_on),
        today=(now + _find_last_offset(rows)).date(),
        answered_count=sum(run_id is not None for run_id in rows.answers.run_id),
        first_weekday=week_starts_on,
        state=state,
        valid_until=_compute_valid_until(rows, now),
    )
    DASHBOARD_CACHE.put(runtime.db, key, fresh)
    return fresh


def _compute_valid_until(rows: RunnerRows, now: datetime) -> datetime:
    offset = _find_last_offset(rows)
    local_now = now + offset
    midnight = local_now.replace(hour=0, minute=0, second=0, microsecond=0)
    deadlines = [end + ANSWER_WINDOW for end in _compute_latest_ends(rows)]
    return min([midnight + DAY - offset, *(end for end in deadlines if end > now)])


def _compute_latest_ends(rows: RunnerRows) -> list[datetime]:
    latest = slice(-_MAX_RUNS_PER_DAY, None)
    times = zip(rows.runs.started_s[latest], rows.runs.elapsed_s[latest], strict=True)
    return [
        datetime.fromtimestamp(started_s + elapsed_s, UTC)
        for started_s, elapsed_s in times
    ]


def summarize_weeks(runs: RunTable, week_starts_on: int = MONDAY) -> list[WeekRow]:
    """Return every week from the first run's to the last's, empty ones too."""
    by_week: dict[int, list[int]] = defaultdict(list)
    for index, day in enumerate(runs.stored.local_day):
        by_week[day - (day - 1 - week_starts_on) % 7].append(index)
    if not by_week:
        return []
    return [
        _summarize_week(runs, day, by_week.get(day, ()))
        for day in range(min(by_week), max(by_week) + 1, 7)
    ]


def _summarize_week(runs: RunTable, day: int, indices: Sequence[int]) -> WeekRow:
    metres, moods = runs.stored.distance_m, runs.derived.mood
    week_moods = [moods[index] for index in indices]
    return WeekRow(
        day=date.fromordinal(day),
        distance_m=sum([metres[index] for index in indices]),
        runs=len(indices),
        moods=tuple([mood for mood in week_moods if mood is not None]),
    )


def _find_last_offset(rows: RunnerRows) -> timedelta:
    """Return how far the clocks are from UTC where the runner last ran."""
    return timedelta(seconds=rows.runs.offset_s[-1] if rows.runs.id else 0)


DASHBOARD_CACHE: RunnerCache[Dashboard] = RunnerCache(_MAX_CACHED)
