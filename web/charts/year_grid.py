"""Every run of a year: a column a week, a dot a day, its size the distance."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from web.formats import month

WEEKS, CELL = 53, 20
WIDTH, HEIGHT = WEEKS * CELL, 7 * CELL
_SIZES = 4


@dataclass(frozen=True, slots=True)
class Day:
    """A day with runs: metres in all, and the last mood told, 1 to 5."""

    day: date
    distance_m: float
    mood: int | None


@dataclass(frozen=True, slots=True)
class YearGrid:
    """The drawn chart; month names sit above their first week, in its own units."""

    svg: Markup
    months: list[tuple[str, int]]
    first: date


def draw(days: Sequence[Day], *, last: date, top: int = 0) -> YearGrid:
    """Draw the 53 weeks that end with the week of `last`; 0 is Monday on top.

    Days that look the same share one path, so a year is a small document.
    """
    newest = last - timedelta(days=(last.weekday() - top) % 7)
    first = newest - timedelta(weeks=WEEKS - 1)
    shown = [day for day in days if first <= day.day <= last]
    ordered = sorted(day.distance_m for day in shown)
    alike: dict[tuple[int, int], list[str]] = defaultdict(list)
    for day in shown:
        weeks, weekday = divmod((day.day - first).days, 7)
        place = f"M{weeks * CELL + CELL // 2} {weekday * CELL + CELL // 2}h0"
        alike[day.mood or 0, _size(day.distance_m, ordered)].append(place)
    parts = [_paths(mood, size, alike[mood, size]) for mood, size in sorted(alike)]
    return YearGrid(
        svg=Markup("".join(parts)),  # noqa: S704 - numbers and our own names
        months=_months(first),
        first=first,
    )


def _paths(mood: int, size: int, places: Sequence[str]) -> str:
    path = "".join(places)
    outline = f'<path class="s{size} o{mood}" d="{path}"/>'
    return f'{outline}<path class="s{size} in i{mood}" d="{path}"/>'


def _size(distance_m: float, ordered: Sequence[float]) -> int:
    """Return 1 to 4: the quarter of all days that this distance falls in."""
    rank = bisect_left(ordered, distance_m)
    return 1 + min(_SIZES - 1, _SIZES * rank // max(1, len(ordered)))


def _months(first: date) -> list[tuple[str, int]]:
    names = []
    for week in range(WEEKS):
        day = first + timedelta(weeks=week)
        if day.day <= 7 and week < WEEKS - 1:
            names.append((month(day), week * CELL))
    return names
