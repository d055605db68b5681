"""Every run of a year: a column a week, a dot a day, its size the distance."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from web.formats import format_month

WEEKS, CELL = 53, 20
WIDTH, HEIGHT = WEEKS * CELL, 7 * CELL
_SIZES = 4


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day with runs: metres in all, and the last mood told, 1 to 5."""

    day: date
    distance_m: float
    mood: int | None


@dataclass(frozen=True, slots=True)
class YearGrid:
    """The drawn chart; month names sit above their first week, in its own units."""

    svg: Markup
    months: list[tuple[str, int]]
    first_day: date


def draw(
    days: Sequence[DayCell], *, last_day: date, first_weekday: int = 0
) -> YearGrid:
    """Draw the 53 weeks that end with the week of `last`; 0 is Monday on top.

    Days that look the same share one path, so a year is a small document.
    """
    last_week = last_day - timedelta(days=(last_day.weekday() - first_weekday) % 7)
    first_day = last_week - timedelta(weeks=WEEKS - 1)
    shown_days = [day for day in days if first_day <= day.day <= last_day]
    sorted_distances = sorted(day.distance_m for day in shown_days)
    points_by_style: dict[tuple[int, int], list[str]] = defaultdict(list)
    for day in shown_days:
        week_index, weekday = divmod((day.day - first_day).days, 7)
        point = f"M{week_index * CELL + CELL // 2} {weekday * CELL + CELL // 2}h0"
        points_by_style[
            day.mood or 0, _size_class(day.distance_m, sorted_distances)
        ].append(point)
    parts = [
        _draw_paths(mood, size, points_by_style[mood, size])
        for mood, size in sorted(points_by_style)
    ]
    return YearGrid(
        svg=Markup("".join(parts)),  # noqa: S704 - numbers and our own names
        months=_list_month_labels(first_day),
        first_day=first_day,
    )


def _draw_paths(mood: int, size: int, points: Sequence[str]) -> str:
    path = "".join(points)
    outline = f'<path class="s{size} o{mood}" d="{path}"/>'
    return f'{outline}<path class="s{size} in i{mood}" d="{path}"/>'


def _size_class(distance_m: float, sorted_distances: Sequence[float]) -> int:
    """Return 1 to 4: the quarter of all days that this distance falls in."""
    rank = bisect_left(sorted_distances, distance_m)
    return 1 + min(_SIZES - 1, _SIZES * rank // max(1, len(sorted_distances)))


def _list_month_labels(first_day: date) -> list[tuple[str, int]]:
    labels = []
    for week in range(WEEKS):
        day = first_day + timedelta(weeks=week)
        if day.day <= 7 and week < WEEKS - 1:
            labels.append((format_month(day), week * CELL))
    return labels
