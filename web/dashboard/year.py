"""Every run of the last year, a dot a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow
from sync.language import ngettext
from web.charts import year_grid
from web.charts.year_grid import DayCell, YearGrid
from web.dashboard.filters import RunFilter
from web.formats import (
    TILES,
    Unit,
    format_distance,
    format_month_and_year,
    mood_label,
    mood_to_tile,
)

_LATEST_COUNT = 50  # runs; of these one may lie on a later day than today
_MAX_PERIOD = timedelta(weeks=54)  # more than any grid reaches back


@dataclass(frozen=True, slots=True)
class MonthTableRow:
    """One month in the table, and where its runs and answered runs are listed."""

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


def build_year_view(data: Dashboard, unit: Unit) -> YearView:
    last_day = max([data.today, *(run.local_day for run in data.runs[-_LATEST_COUNT:])])
    recent_runs = data.runs.since(last_day - _MAX_PERIOD)
    days: dict[date, tuple[float, int | None]] = {}
    for run in recent_runs:
        distance_m, mood = days.get(run.local_day, (0.0, None))
        last_mood = mood if run.mood is None else mood_to_tile(run.mood)
        days[run.local_day] = (distance_m + run.distance_m, last_mood)
    grid = year_grid.draw(
        [DayCell(day, metres, mood) for day, (metres, mood) in days.items()],
        last_day=last_day,
        first_weekday=data.first_weekday,
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
        months=_build_month_rows(shown_runs, unit),
    )


def _build_month_rows(runs: Sequence[RunRow], unit: Unit) -> list[MonthTableRow]:
    """List each month, newest first."""
    by_month: dict[date, list[RunRow]] = {}
    for run in runs:
        by_month.setdefault(run.local_day.replace(day=1), []).append(run)
    return [
        _build_month_row(month, month_runs, unit)
        for month, month_runs in sorted(by_month.items(), reverse=True)
    ]


def _build_month_row(
    month: date, month_runs: Sequence[RunRow], unit: Unit
) -> MonthTableRow:
    # The first month of the picture may have begun before it.
    since = min(run.local_day for run in month_runs)
    until = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    run_filter = RunFilter(since=since, until=until)
    return MonthTableRow(
        name=format_month_and_year(month),
        runs=len(month_runs),
        distance=format_distance(sum(run.distance_m for run in month_runs), unit),
        answers=sum(run.mood is not None for run in month_runs),
        runs_url=f"{run_filter.address()}#all-runs",
        answers_url=f"{run_filter.address(mood='told')}#all-runs",
    )
