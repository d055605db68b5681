"""Every run of the last year, a dot a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow
from sync.language import ngettext
from web.charts import year_grid
from web.charts.year_grid import Day, YearGrid
from web.dashboard.filters import Wanted
from web.formats import TILES, Unit, distance, month_of_year, tile, word

_LATEST = 50  # runs; of these one may lie on a later day than today
_LONGEST = timedelta(weeks=54)  # more than any grid reaches back


@dataclass(frozen=True, slots=True)
class MonthLine:
    """One month in the table, and where its runs and answered runs are listed."""

    name: str
    runs: int
    distance: str
    answers: int
    runs_at: str
    answers_at: str


@dataclass(frozen=True, slots=True)
class YearView:
    grid: YearGrid
    label: str
    months: Sequence[MonthLine]


def year_view(data: Dashboard, unit: Unit) -> YearView:
    last = max([data.today, *(run.local_day for run in data.runs[-_LATEST:])])
    lately = data.runs.since(last - _LONGEST)
    days: dict[date, tuple[float, int | None]] = {}
    for run in lately:
        so_far, mood = days.get(run.local_day, (0.0, None))
        latest = mood if run.mood is None else tile(run.mood)
        days[run.local_day] = (so_far + run.distance_m, latest)
    grid = year_grid.draw(
        [Day(day, metres, mood) for day, (metres, mood) in days.items()],
        last=last,
        top=data.first_weekday,
    )
    shown = [run for run in lately if run.local_day >= grid.first]
    told = [run for run in shown if run.mood is not None]
    counts = ", ".join(
        f"{sum(tile(run.mood or 0) == mood for run in told)} {word(mood)}"
        for mood in reversed(TILES)
    )
    return YearView(
        grid=grid,
        label=ngettext(
            "%(n)s run in the last year, %(told)s answered: %(counts)s.",
            "%(n)s runs in the last year, %(told)s answered: %(counts)s.",
            len(shown),
            told=len(told),
            counts=counts,
        ),
        months=_months(shown, unit),
    )


def _months(runs: Sequence[RunRow], unit: Unit) -> list[MonthLine]:
    """List each month, newest first."""
    by_month: dict[date, list[RunRow]] = {}
    for run in runs:
        by_month.setdefault(run.local_day.replace(day=1), []).append(run)
    return [
        _line(month, inside, unit)
        for month, inside in sorted(by_month.items(), reverse=True)
    ]


def _line(month: date, inside: Sequence[RunRow], unit: Unit) -> MonthLine:
    # The first month of the picture may have begun before it.
    since = min(run.local_day for run in inside)
    until = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    listed = Wanted(since=since, until=until)
    return MonthLine(
        name=month_of_year(month),
        runs=len(inside),
        distance=distance(sum(run.distance_m for run in inside), unit),
        answers=sum(run.mood is not None for run in inside),
        runs_at=f"{listed.address()}#all-runs",
        answers_at=f"{listed.address(mood='told')}#all-runs",
    )
