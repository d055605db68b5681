"""Every run of a year: a column a week, a dot a day, its size the distance."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from markupsafe import Markup

from web.formats import format_month

WEEKS, CELL = 53, 20
WIDTH, HEIGHT = WEEKS * CELL, 7 * CELL
_SIZES = 4


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day with runs: their distance, and the last answered mood, 1 to 5."""

    day: date
    distance_m: float
    mood: int | None


class DayStyle(NamedTuple):
    """The look of a day: its mood, 0 without an answer, and its size from 1 to 4."""

    mood: int
    size: int


@dataclass(frozen=True, slots=True)
class MonthLabel:
    """A month's name and its `x` in the drawing's own units."""

    text: str
    x: int


@dataclass(frozen=True, slots=True)
class YearGrid:
    """The drawn chart; month names stand above their first week."""

    svg: Markup
    months: list[MonthLabel]
    first_day: date


def draw(
    days: Sequence[DayCell], *, last_day: date, first_weekday: int = 0
) -> YearGrid:
    """Draw the 53 weeks that end with the week of `last_day`; 0 is Monday on top.

    Days that look the same share one path, so a year is a small document.
    """
    last_week = last_day - timedelta(days=(last_day.weekday() - first_weekday) % 7)
    first_day = last_week - timedelta(weeks=WEEKS - 1)
    shown_days = [day for day in days if first_day <= day.day <= last_day]
    sorted_distances = sorted(day.distance_m for day in shown_days)
    points_by_style: dict[DayStyle, list[str]] = defaultdict(list)
    for day in shown_days:
        week_index, weekday = divmod((day.day - first_day).days, 7)
        style = DayStyle(day.mood or 0, size_class(day.distance_m, sorted_distances))
        points_by_style[style].append(
            f"M{week_index * CELL + CELL // 2} {weekday * CELL + CELL // 2}h0"
        )
    parts = []
    for style, points in sorted(points_by_style.items()):
        path = "".join(points)
        parts.append(
            f'<path class="s{style.size} o{style.mood}" d="{path}"/>'
            f'<path class="s{style.size} in i{style.mood}" d="{path}"/>'
        )
    months = []
    for week_index in range(WEEKS - 1):
        day_of_week = first_day + timedelta(weeks=week_index)
        if day_of_week.day <= 7:
            months.append(MonthLabel(format_month(day_of_week), week_index * CELL))
    return YearGrid(
        svg=Markup("".join(parts)),  # noqa: S704 - numbers and our own names
        months=months,
        first_day=first_day,
    )


def size_class(distance_m: float, sorted_distances: Sequence[float]) -> int:
    """Return 1 to 4: the quarter of all days that this distance falls in."""
    rank = bisect_left(sorted_distances, distance_m)
    return 1 + min(_SIZES - 1, _SIZES * rank // max(1, len(sorted_distances)))
