"""What the reader asked to see: a period, and of all runs which, in what order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow, RunTable
from sync.analytics.dataset.weeks import find_week_start
from sync.language import translatable
from web.formats import METRES_PER_UNIT, Unit, mood_to_tile

PAGE_SIZE = 50
ALL_TIME = "all"
PERIODS: Mapping[str, tuple[str, int | None]] = {
    "4w": (translatable("4 weeks"), 28),
    "3m": (translatable("3 months"), 91),
    "1y": (translatable("A year"), 365),
    ALL_TIME: (translatable("All"), None),
}
SORTS: Mapping[str, str] = {
    "newest": translatable("Newest first"),
    "oldest": translatable("Oldest first"),
    "longest": translatable("Longest first"),
    "shortest": translatable("Shortest first"),
    "best": translatable("Best mood first"),
    "lowest": translatable("Lowest mood first"),
}
MOOD_FILTERS = ("", "told", "none", "good", "1", "2", "3", "4", "5")
_GOOD_FROM_TILE = 4  # of the five answers, and what is better

# What each order goes by, and whether it falls.
_SORT_KEYS: Mapping[str, tuple[Callable[[RunTable], Sequence[float]], bool]] = {
    "longest": (lambda runs: runs.stored.distance_m, True),
    "shortest": (lambda runs: runs.stored.distance_m, False),
    "best": (lambda runs: _fill_moods(runs, missing=-9), True),
    "lowest": (lambda runs: _fill_moods(runs, missing=9), False),
}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """One reading of the address; what makes no sense there is left out.

    `least` and `below` bound the distance of the 7 days up to a run, in the
    runner's unit; `group` names a number of the figures whose runs are wanted.
    """

    period: str = ALL_TIME
    sort: str = "newest"
    mood: str = ""
    since: date | None = None
    until: date | None = None
    least: float | None = None
    below: float | None = None
    group: str = ""
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        return replace(self, period=ALL_TIME, sort="newest", page=1) != RunFilter()

    def address(self, **changes: Any) -> str:
        """Return the address of the same page with some wishes changed."""
        changed = replace(self, **changes)
        defaults = RunFilter()
        parameters = {
            name: value
            for name in self.__slots__
            if (value := getattr(changed, name)) not in {getattr(defaults, name), None}
        }
        return f"/dashboard?{urlencode(parameters)}" if parameters else "/dashboard"


def parse_filter(query: Mapping[str, str]) -> RunFilter:
    period, sort = query.get("period", ALL_TIME), query.get("sort", "newest")
    mood, page = query.get("mood", ""), query.get("page", "1")
    return RunFilter(
        period=period if period in PERIODS else ALL_TIME,
        sort=sort if sort in SORTS else "newest",
        mood=mood if mood in MOOD_FILTERS else "",
        since=_parse_date(query.get("since")),
        until=_parse_date(query.get("until")),
        least=_parse_distance(query.get("least")),
        below=_parse_distance(query.get("below")),
        group=query.get("group", ""),
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


def find_period_start(data: Dashboard, period: str) -> date | None:
    """Return the first day of the period that ends today; None where all counts."""
    days = PERIODS[period][1]
    return None if days is None else data.today - timedelta(days=days - 1)


def limit_to_period(data: Dashboard, period: str) -> Dashboard:
    """Leave only the runs of the period that ends today, and its weeks."""
    since = find_period_start(data, period)
    if since is None:
        return data
    first_week = find_week_start(since, data.first_weekday)
    return replace(
        data,
        runs=data.runs.since(since),
        weeks=[week for week in data.weeks if week.day >= first_week],
    )


def select_page(
    runs: RunTable, run_filter: RunFilter, unit: Unit
) -> tuple[list[RunRow], int, int]:
    """Return one page of the wanted runs, how many there are, and the last page."""
    indices = _select_indices(runs, run_filter, METRES_PER_UNIT[unit])
    if run_filter.sort != "oldest":
        indices.reverse()
    if run_filter.sort in _SORT_KEYS:
        sort_key, is_descending = _SORT_KEYS[run_filter.sort]
        indices.sort(key=sort_key(runs).__getitem__, reverse=is_descending)
    last_page = max(1, -(-len(indices) // PAGE_SIZE))
    page = min(max(1, run_filter.page), last_page)
    page_indices = indices[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return [runs[index] for index in page_indices], len(indices), last_page


def _select_indices(
    runs: RunTable, run_filter: RunFilter, metres_per_unit: float
) -> list[int]:
    """Return where in `runs` the wanted ones are, wish by wish."""
    days, weeks = runs.stored.local_day, runs.derived.week_m
    indices = list(range(len(runs)))
    if run_filter.mood:
        moods = runs.derived.mood
        indices = [
            index for index in indices if _matches_mood(moods[index], run_filter.mood)
        ]
    if run_filter.since is not None:
        first_ordinal = run_filter.since.toordinal()
        indices = [index for index in indices if days[index] >= first_ordinal]
    if run_filter.until is not None:
        last_ordinal = run_filter.until.toordinal()
        indices = [index for index in indices if days[index] <= last_ordinal]
    if run_filter.least is not None:
        indices = [
            index
            for index in indices
            if weeks[index] / metres_per_unit >= run_filter.least
        ]
    if run_filter.below is not None:
        indices = [
            index
            for index in indices
            if weeks[index] / metres_per_unit < run_filter.below
        ]
    return indices


def _matches_mood(mood: int | None, mood_filter: str) -> bool:
    match mood_filter:
        case "told":
            return mood is not None
        case "none":
            return mood is None
        case "good":
            return mood is not None and mood_to_tile(mood) >= _GOOD_FROM_TILE
        case _:
            return mood is not None and mood_to_tile(mood) == int(mood_filter)


def _fill_moods(runs: RunTable, *, missing: int) -> list[int]:
    return [missing if mood is None else mood for mood in runs.derived.mood]


def _parse_date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _parse_distance(text: str | None) -> float | None:
    try:
        distance = float(text) if text else None
    except ValueError:
        return None
    return distance if distance is not None and 0 <= distance < 10_000 else None
