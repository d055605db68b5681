"""The period of the dashboard, and the filter and order of its list of runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow, RunTable
from sync.analytics.dataset.weeks import find_week_start
from sync.language import translatable
from sync.vocabulary import DistanceUnit, Mood
from web.formats import GOOD_TILES, TILES

PAGE_SIZE = 50
ALL_TIME = "all"


@dataclass(frozen=True, slots=True)
class Period:
    """A period that ends today; without `days` it has no beginning."""

    title: str
    days: int | None


PERIODS: Mapping[str, Period] = {
    "4w": Period(translatable("4 weeks"), 28),
    "3m": Period(translatable("3 months"), 91),
    "1y": Period(translatable("A year"), 365),
    ALL_TIME: Period(translatable("All"), None),
}
SORTS: Mapping[str, str] = {
    "newest": translatable("Newest first"),
    "oldest": translatable("Oldest first"),
    "longest": translatable("Longest first"),
    "shortest": translatable("Shortest first"),
    "best": translatable("Best mood first"),
    "lowest": translatable("Lowest mood first"),
}
# Stored moods that each value of the parameter `mood` lets through.
_MOODS_BY_FILTER: Mapping[str, frozenset[int | None]] = {
    "told": frozenset(Mood),
    "none": frozenset([None]),
    "good": frozenset(map(Mood.from_tile, GOOD_TILES)),
    **{str(tile): frozenset([Mood.from_tile(tile)]) for tile in TILES},
}


@dataclass(frozen=True, slots=True)
class SortOrder:
    """An order of runs by the values of a column."""

    load_values: Callable[[RunTable], Sequence[float]]
    is_descending: bool


# Newest and oldest first are the order of the table itself.
_SORT_ORDERS: Mapping[str, SortOrder] = {
    "longest": SortOrder(lambda runs: runs.stored.distance_m, is_descending=True),
    "shortest": SortOrder(lambda runs: runs.stored.distance_m, is_descending=False),
    "best": SortOrder(lambda runs: _fill_moods(runs, missing=-9), is_descending=True),
    "lowest": SortOrder(lambda runs: _fill_moods(runs, missing=9), is_descending=False),
}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """The query parameters of the dashboard; invalid ones have their defaults.

    `least` and `below` bound the distance of the 7 days up to a run, in the
    runner's unit; `group` names a number of the figures by its runs; `notes` is "1" to
    show the runner's own lines in the list.
    """

    period: str = ALL_TIME
    sort: str = "newest"
    mood: str = ""
    since: date | None = None
    until: date | None = None
    least: float | None = None
    below: float | None = None
    group: str = ""
    notes: str = ""
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        return (
            replace(self, period=ALL_TIME, sort="newest", notes="", page=1)
            != RunFilter()
        )

    def address(self, **changes: Any) -> str:
        """Return the dashboard's address with this filter and some changes to it."""
        changed = replace(self, **changes)
        defaults = RunFilter()
        parameters = {
            name: value
            for name in self.__slots__
            if (value := getattr(changed, name)) not in {getattr(defaults, name), None}
        }
        return f"/dashboard?{urlencode(parameters)}" if parameters else "/dashboard"

    def runs_url(self, **changes: Any) -> str:
        """Return the address of the list of runs with some changes to this filter."""
        return f"{self.address(**changes)}#all-runs"


def parse_filter(query: Mapping[str, str]) -> RunFilter:
    period, sort = query.get("period", ALL_TIME), query.get("sort", "newest")
    mood, page = query.get("mood", ""), query.get("page", "1")
    return RunFilter(
        period=period if period in PERIODS else ALL_TIME,
        sort=sort if sort in SORTS else "newest",
        mood=mood if mood in _MOODS_BY_FILTER else "",
        since=_parse_date(query.get("since")),
        until=_parse_date(query.get("until")),
        least=_parse_distance(query.get("least")),
        below=_parse_distance(query.get("below")),
        group=query.get("group", ""),
        notes="1" if query.get("notes") == "1" else "",
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


def find_period_start(data: Dashboard, period: str) -> date | None:
    """Return the first day of the period that ends today; None for all time."""
    days = PERIODS[period].days
    return None if days is None else data.today - timedelta(days=days - 1)


def limit_to_period(data: Dashboard, period: str) -> Dashboard:
    """Return only the runs and the weeks of the period that ends today."""
    since = find_period_start(data, period)
    if since is None:
        return data
    first_week = find_week_start(since, data.first_weekday)
    return replace(
        data,
        runs=data.runs.since(since),
        weeks=[week for week in data.weeks if week.day >= first_week],
    )


@dataclass(frozen=True, slots=True)
class SelectedRuns:
    """One page of the selected runs; `count` is the number of all of them."""

    runs: Sequence[RunRow]
    count: int
    page: int
    last_page: int


def select_page(
    runs: RunTable, run_filter: RunFilter, unit: DistanceUnit
) -> SelectedRuns:
    """Return the page of the runs that match the filter, in its order."""
    indices = select_indices(runs, run_filter, unit.metres)
    if run_filter.sort != "oldest":
        indices.reverse()
    order = _SORT_ORDERS.get(run_filter.sort)
    if order is not None:
        values = order.load_values(runs)
        indices.sort(key=values.__getitem__, reverse=order.is_descending)
    last_page = max(1, -(-len(indices) // PAGE_SIZE))
    page = min(max(1, run_filter.page), last_page)
    page_indices = indices[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return SelectedRuns(
        [runs[index] for index in page_indices], len(indices), page, last_page
    )


def select_indices(
    runs: RunTable, run_filter: RunFilter, metres_per_unit: float
) -> list[int]:
    """Return the indices of the runs that match the filter, oldest first."""
    indices = list(range(len(runs)))
    if run_filter.mood:
        moods = runs.derived.mood
        wanted_moods = _MOODS_BY_FILTER[run_filter.mood]
        indices = [index for index in indices if moods[index] in wanted_moods]
    days = runs.stored.local_day
    if run_filter.since is not None:
        first_ordinal = run_filter.since.toordinal()
        indices = [index for index in indices if days[index] >= first_ordinal]
    if run_filter.until is not None:
        last_ordinal = run_filter.until.toordinal()
        indices = [index for index in indices if days[index] <= last_ordinal]
    weeks = runs.derived.week_m
    if run_filter.least is not None:
        least = run_filter.least
        indices = [i for i in indices if weeks[i] / metres_per_unit >= least]
    if run_filter.below is not None:
        below = run_filter.below
        indices = [i for i in indices if weeks[i] / metres_per_unit < below]
    return indices


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
