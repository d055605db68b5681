"""One runner's runs and answers, ready to be drawn: rows in, plain values out."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sync.analytics.dataset import load as of_runner
from sync.analytics.dataset.cache import Kept
from sync.analytics.dataset.load import Rows
from sync.analytics.dataset.run_rows import ANSWERABLE_FOR, RunTable, run_table
from sync.analytics.dataset.weeks import MONDAY, first_weekday
from sync.models import Runner
from sync.runtime import Runtime

DAY = timedelta(days=1)
_MOST_A_DAY = 50
_MOST_KEPT = 8  # dashboards in the memory of one process


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
    answered: int
    first_weekday: int
    state: Hashable
    good_until: datetime

    @cached_property
    def answered_runs(self) -> RunTable:
        return self.runs.only([mood is not None for mood in self.runs.derived.mood])


def dashboard(runtime: Runtime, runner_id: int) -> Dashboard:
    """Gather everything that the runner's pages draw; from memory if it still holds."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        runner = session.get_one(Runner, runner_id)
        state = (runner.vault_key, runner.data_version)
        key = (runner_id, state, None)
        kept = KEPT.find(runtime.db, key)
        if kept is not None and now < kept.good_until:
            return kept
        vault = runtime.sealer.vault(runner.vault_key)
        rows = of_runner.read(session, runner_id, vault, for_page=True)
    of_runner.KEPT.keep(runtime.db, key, rows)
    runs = run_table(rows, now=now)
    first = first_weekday(runner.preferences)
    found = Dashboard(
        runs=runs,
        weeks=weekly(runs, first),
        today=(now + _last_offset(rows)).date(),
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


def weekly(runs: RunTable, first: int = MONDAY) -> list[WeekRow]:
    """Return every week from the first run's to the last's, empty ones too."""
    by_week: dict[int, list[int]] = defaultdict(list)
    for place, day in enumerate(runs.stored.local_day):
        by_week[day - (day - 1 - first) % 7].append(place)
    if not by_week:
        return []
    return [
        _week(runs, day, by_week.get(day, ()))
        for day in range(min(by_week), max(by_week) + 1, 7)
    ]


def _week(runs: RunTable, day: int, places: Sequence[int]) -> WeekRow:
    metres, moods = runs.stored.distance_m, runs.derived.mood
    told = [moods[place] for place in places]
    return WeekRow(
        day=date.fromordinal(day),
        distance_m=sum([metres[place] for place in places]),
        runs=len(places),
        moods=tuple([mood for mood in told if mood is not None]),
    )


def _last_offset(rows: Rows) -> timedelta:
    """Return how far the clocks are from UTC where the runner last ran."""
    return timedelta(seconds=rows.runs.offset_s[-1] if rows.runs.id else 0)


KEPT: Kept[Dashboard] = Kept(_MOST_KEPT)
