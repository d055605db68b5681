"""One runner's runs and answers for pages: rows in, plain values out."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.left_out import LeftOutRun, load_left_out
from sync.analytics.dataset.load import ROWS_CACHE, RunnerRows, read_rows
from sync.analytics.dataset.run_rows import RunTable, build_run_table
from sync.analytics.dataset.weeks import (
    MONDAY,
    MONTH_DAYS,
    WEEK_DAYS,
    find_first_day_number,
)
from sync.answer_window import ANSWER_WINDOW
from sync.models import Runner
from sync.runtime import Runtime

DAY = timedelta(days=1)
_MAX_RUNS_PER_DAY = 50
_MAX_CACHED = 8  # dashboards in the memory of one process


class WeekRow(NamedTuple):
    """One of the runner's weeks; `day` is its first one."""

    day: date
    distance_m: float
    runs: int
    moods: tuple[int, ...]


@dataclass(frozen=True)
class Dashboard:
    """All values that the pages draw.

    It holds for one `state` of the runner's rows, until `valid_until`, when a day
    ends or a run can no longer be answered.
    """

    runs: RunTable
    left_out: Sequence[LeftOutRun]
    weeks: Sequence[WeekRow]
    today: date
    answered_count: int
    first_weekday: int
    state: Hashable
    valid_until: datetime

    @cached_property
    def answered_runs(self) -> RunTable:
        return self.runs.select([mood is not None for mood in self.runs.derived.mood])

    @cached_property
    def usual_week_m(self) -> float:
        """Return the distance of a usual week; nan before 8 weeks of history."""
        from sync.analytics.dataset.distances import (  # noqa: PLC0415 - see run_rows
            compute_usual_load,
        )

        runs, today = self.runs.stored, self.today.toordinal()
        [usual_m] = compute_usual_load(runs.distance_m, runs.local_day, [today])
        return float(usual_m)

    def compute_month_loads(self, days: Sequence[date]) -> list[float]:
        """Return the metres of the 28 local days up to and including each day."""
        from sync.analytics.dataset.distances import (  # noqa: PLC0415 - see run_rows
            compute_trailing_load,
        )

        runs, at_days = self.runs.stored, [day.toordinal() for day in days]
        loads: list[float] = compute_trailing_load(
            runs.distance_m, runs.local_day, at_days, window_days=MONTH_DAYS
        ).tolist()
        return loads


def load_dashboard(runtime: Runtime, runner_id: int) -> Dashboard:
    """Load all values that the runner's pages draw; from the cache while they hold."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        state = (runner.vault_key, runner.data_version)
        key = (runner_id, state, None)
        cached = DASHBOARD_CACHE.get(runtime.db, key)
        if cached is not None and now < cached.valid_until:
            return cached
        vault = runtime.sealer.open_vault(runner.vault_key)
        rows = read_rows(session, runner_id, vault, for_page=True)
        left_out = load_left_out(session, runner_id)
    ROWS_CACHE.put(runtime.db, key, rows)
    runs = build_run_table(rows, now=now)
    first_weekday = runner.preferences.week_starts.weekday
    fresh = Dashboard(
        runs=runs,
        left_out=left_out,
        weeks=summarize_weeks(runs, first_weekday),
        today=(now + _find_last_offset(rows)).date(),
        answered_count=sum(run_id is not None for run_id in rows.answers.run_id),
        first_weekday=first_weekday,
        state=state,
        valid_until=_compute_valid_until(rows, now),
    )
    DASHBOARD_CACHE.put(runtime.db, key, fresh)
    return fresh


def _compute_valid_until(rows: RunnerRows, now: datetime) -> datetime:
    offset = _find_last_offset(rows)
    midnight = (now + offset).replace(hour=0, minute=0, second=0, microsecond=0)
    latest = slice(-_MAX_RUNS_PER_DAY, None)
    times = zip(rows.runs.started_s[latest], rows.runs.elapsed_s[latest], strict=True)
    deadlines = [
        datetime.fromtimestamp(started_s + elapsed_s, UTC) + ANSWER_WINDOW
        for started_s, elapsed_s in times
    ]
    # From a drawn time on the page may ask by itself.
    deadlines += [
        datetime.fromtimestamp(asks_s, UTC)
        for asks_s in rows.delays.asks_s[-_MAX_RUNS_PER_DAY:]
    ]
    return min([midnight + DAY - offset, *(end for end in deadlines if end > now)])


def summarize_weeks(runs: RunTable, first_weekday: int = MONDAY) -> list[WeekRow]:
    """Return every week from the first run's to the last's, empty ones too."""
    metres, moods = runs.stored.distance_m, runs.derived.mood
    by_week: dict[int, list[int]] = defaultdict(list)
    for index, day in enumerate(runs.stored.local_day):
        by_week[find_first_day_number(day, first_weekday)].append(index)
    if not by_week:
        return []
    weeks = []
    for day in range(min(by_week), max(by_week) + 1, WEEK_DAYS):
        indices = by_week.get(day, ())
        week_moods = [moods[index] for index in indices]
        weeks.append(
            WeekRow(
                day=date.fromordinal(day),
                distance_m=sum([metres[index] for index in indices]),
                runs=len(indices),
                moods=tuple([mood for mood in week_moods if mood is not None]),
            )
        )
    return weeks


def _find_last_offset(rows: RunnerRows) -> timedelta:
    """Return the offset from UTC at the last run."""
    return timedelta(seconds=rows.runs.offset_s[-1] if rows.runs.id else 0)


DASHBOARD_CACHE: RunnerCache[Dashboard] = RunnerCache(_MAX_CACHED)
