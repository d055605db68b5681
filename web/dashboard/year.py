"""Every run of the last year, a dot a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sync.analytics.overview import RunRow
from web.charts import year_grid
from web.charts.year_grid import Day, YearGrid
from web.formats import WORDS, Unit, distance, tile


@dataclass(frozen=True, slots=True)
class YearView:
    grid: YearGrid
    label: str
    months: Sequence[tuple[str, int, str, int]]


def year_view(runs: Sequence[RunRow], today: date, unit: Unit) -> YearView:
    days: dict[date, tuple[float, int | None]] = {}
    for run in runs:
        so_far, mood = days.get(run.local_day, (0.0, None))
        latest = mood if run.mood is None else tile(run.mood)
        days[run.local_day] = (so_far + run.distance_m, latest)
    last = max(today, max(days, default=today))
    grid = year_grid.draw(
        [Day(day, metres, mood) for day, (metres, mood) in days.items()], last=last
    )
    shown = [run for run in runs if run.local_day >= grid.first]
    told = [run for run in shown if run.mood is not None]
    counts = ", ".join(
        f"{sum(tile(run.mood or 0) == mood for run in told)} {word}"
        for mood, word in reversed(WORDS.items())
    )
    return YearView(
        grid=grid,
        label=f"{len(shown)} runs in the last year, {len(told)} answered: {counts}.",
        months=_months(shown, unit),
    )


def _months(runs: Sequence[RunRow], unit: Unit) -> list[tuple[str, int, str, int]]:
    """List each month, newest first: name, runs, distance, answers."""
    by_month: dict[date, list[RunRow]] = {}
    for run in runs:
        first = run.local_day - timedelta(days=run.local_day.day - 1)
        by_month.setdefault(first, []).append(run)
    return [
        (
            f"{month:%B %Y}",
            len(inside),
            distance(sum(run.distance_m for run in inside), unit),
            sum(run.mood is not None for run in inside),
        )
        for month, inside in sorted(by_month.items(), reverse=True)
    ]
