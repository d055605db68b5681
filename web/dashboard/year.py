"""The last year with a dot for each day, and its table of months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow
from sync.language import ngettext
from sync.vocabulary import DistanceUnit
from web.charts import year_grid
from web.charts.year_grid import DayCell, YearGrid
from web.dashboard.filters import RunFilter
from web.formats import (
    TILES,
    format_distance,
    format_month_and_year,
    mood_label,
    mood_to_tile,
)

_LATEST_COUNT = 50  # runs; of these one may lie on a later day than today
_MAX_PERIOD = timedelta(weeks=54)  # more than any grid reaches back


@dataclass(frozen=True, slots=True)
class MonthTableRow:
    """One month in the table, with the addresses of its runs and answered runs."""

    name: str
    runs: int
    distance: str
    answers: int
    runs_url: str
    answers_url: str


@dataclass(frozen=True, slots=True)
class YearView:
    grid: YearGrid
    label: str
    months: Sequence[MonthTableRow]


def build_year_view(data: Dashboard, unit: DistanceUnit) -> YearView:
    last_day = max([data.today, *(run.local_day for run in data.runs[-_LATEST_COUNT:])])
    recent_runs = data.runs.since(last_day - _MAX_PERIOD)
    days: dict[date, DayCell] = {}
    for run in recent_runs:
        day = days.get(run.local_day, DayCell(run.local_day, 0.0, None))
        last_mood = day.mood if run.mood is None else mood_to_tile(run.mood)
        days[run.local_day] = DayCell(
            day.day, day.distance_m + run.distance_m, last_mood
        )
    grid = year_grid.draw(
        list(days.values()), last_day=last_day, first_weekday=data.first_weekday
    )
    shown_runs = [run for run in recent_runs if run.local_day >= grid.first_day]
    answered_runs = [run for run in shown_runs if run.mood is not None]
    counts = ", ".join(
        f"{sum(mood_to_tile(run.mood or 0) == mood for run in answered_runs)} "
        f"{mood_label(mood)}"
        for mood in reversed(TILES)
    )
    return YearView(
        grid=grid,
        label=ngettext(
            "%(n)s run in the last year, %(told)s answered: %(counts)s.",
            "%(n)s runs in the last year, %(told)s answered: %(counts)s.",
            len(shown_runs),
            told=len(answered_runs),
            counts=counts,
        ),
        months=build_month_rows(shown_runs, unit),
    )


def build_month_rows(runs: Sequence[RunRow], unit: DistanceUnit) -> list[MonthTableRow]:
    """List the months of these runs, newest first."""
    runs_by_month: dict[date, list[RunRow]] = {}
    for run in runs:
        runs_by_month.setdefault(run.local_day.replace(day=1), []).append(run)
    rows = []
    for month, month_runs in sorted(runs_by_month.items(), reverse=True):
        run_filter = RunFilter(
            # The first month of the picture may have begun before it.
            since=min(run.local_day for run in month_runs),
            until=(month + timedelta(days=31)).replace(day=1) - timedelta(days=1),
        )
        distance_m = sum(run.distance_m for run in month_runs)
        rows.append(
            MonthTableRow(
                name=format_month_and_year(month),
                runs=len(month_runs),
                distance=format_distance(distance_m, unit),
                answers=sum(run.mood is not None for run in month_runs),
                runs_url=run_filter.runs_url(),
                answers_url=run_filter.runs_url(mood="told"),
            )
        )
    return rows
