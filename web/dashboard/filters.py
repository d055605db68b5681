"""What the reader asked to see: a period, and of all runs which, in what order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow, RunTable
from sync.analytics.dataset.weeks import week_of
from sync.language import translatable
from web.formats import METRES, Unit, tile

PAGE = 50
ALWAYS = "all"
PERIODS: Mapping[str, tuple[str, int | None]] = {
    "4w": (translatable("4 weeks"), 28),
    "3m": (translatable("3 months"), 91),
    "1y": (translatable("A year"), 365),
    ALWAYS: (translatable("All"), None),
}
SORTS: Mapping[str, str] = {
    "newest": translatable("Newest first"),
    "oldest": translatable("Oldest first"),
    "longest": translatable("Longest first"),
    "shortest": translatable("Shortest first"),
    "best": translatable("Best mood first"),
    "lowest": translatable("Lowest mood first"),
}
MOODS = ("", "told", "none", "good", "1", "2", "3", "4", "5")
_GOOD = 4  # of the five answers, and what is better

# What each order goes by, and whether it falls.
_ORDERS: Mapping[str, tuple[Callable[[RunTable], Sequence[float]], bool]] = {
    "longest": (lambda runs: runs.stored.distance_m, True),
    "shortest": (lambda runs: runs.stored.distance_m, False),
    "best": (lambda runs: _moods(runs, untold=-9), True),
    "lowest": (lambda runs: _moods(runs, untold=9), False),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reading of the address; what makes no sense there is left out.

    `least` and `below` bound the distance of the 7 days up to a run, in the
    runner's unit; `group` names a number of the figures whose runs are wanted.
    """

    period: str = ALWAYS
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
        return replace(self, period=ALWAYS, sort="newest", page=1) != Wanted()

    def address(self, **changes: Any) -> str:
        """Return the address of the same page with some wishes changed."""
        other = replace(self, **changes)
        plain = Wanted()
        said = {
            name: value
            for name in self.__slots__
            if (value := getattr(other, name)) not in {getattr(plain, name), None}
        }
        return f"/dashboard?{urlencode(said)}" if said else "/dashboard"


def wanted_in(query: Mapping[str, str]) -> Wanted:
    period, sort = query.get("period", ALWAYS), query.get("sort", "newest")
    mood, page = query.get("mood", ""), query.get("page", "1")
    return Wanted(
        period=period if period in PERIODS else ALWAYS,
        sort=sort if sort in SORTS else "newest",
        mood=mood if mood in MOODS else "",
        since=_day(query.get("since")),
        until=_day(query.get("until")),
        least=_amount(query.get("least")),
        below=_amount(query.get("below")),
        group=query.get("group", ""),
        page=int(page) if page.isdecimal() and len(page) < 7 else 1,
    )


def first_day(data: Dashboard, period: str) -> date | None:
    """Return the first day of the period that ends today; None where all counts."""
    days = PERIODS[period][1]
    return None if days is None else data.today - timedelta(days=days - 1)


def within(data: Dashboard, period: str) -> Dashboard:
    """Leave only the runs of the period that ends today, and its weeks."""
    since = first_day(data, period)
    if since is None:
        return data
    first = week_of(since, data.first_weekday)
    return replace(
        data,
        runs=data.runs.since(since),
        weeks=[week for week in data.weeks if week.day >= first],
    )


def page_of(
    runs: RunTable, wanted: Wanted, unit: Unit
) -> tuple[list[RunRow], int, int]:
    """Return one page of the wanted runs, how many there are, and the last page."""
    found = _places(runs, wanted, METRES[unit])
    if wanted.sort != "oldest":
        found.reverse()
    if wanted.sort in _ORDERS:
        values_of, is_falling = _ORDERS[wanted.sort]
        found.sort(key=values_of(runs).__getitem__, reverse=is_falling)
    last = max(1, -(-len(found) // PAGE))
    page = min(max(1, wanted.page), last)
    shown = found[(page - 1) * PAGE : page * PAGE]
    return [runs[place] for place in shown], len(found), last


def _places(runs: RunTable, wanted: Wanted, metres: float) -> list[int]:
    """Return where in `runs` the wanted ones are, wish by wish."""
    days, weeks = runs.stored.local_day, runs.derived.week_m
    found = list(range(len(runs)))
    if wanted.mood:
        moods = runs.derived.mood
        found = [place for place in found if _has_mood(moods[place], wanted.mood)]
    if wanted.since is not None:
        first = wanted.since.toordinal()
        found = [place for place in found if days[place] >= first]
    if wanted.until is not None:
        latest = wanted.until.toordinal()
        found = [place for place in found if days[place] <= latest]
    if wanted.least is not None:
        found = [place for place in found if weeks[place] / metres >= wanted.least]
    if wanted.below is not None:
        found = [place for place in found if weeks[place] / metres < wanted.below]
    return found


def _has_mood(mood: int | None, wanted: str) -> bool:
    match wanted:
        case "told":
            return mood is not None
        case "none":
            return mood is None
        case "good":
            return mood is not None and tile(mood) >= _GOOD
        case _:
            return mood is not None and tile(mood) == int(wanted)


def _moods(runs: RunTable, *, untold: int) -> list[int]:
    return [untold if mood is None else mood for mood in runs.derived.mood]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _amount(text: str | None) -> float | None:
    try:
        amount = float(text) if text else None
    except ValueError:
        return None
    return amount if amount is not None and 0 <= amount < 10_000 else None
