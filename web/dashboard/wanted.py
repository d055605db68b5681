"""What the reader asked to see: a period, and of all runs which, in what order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sync.analytics.overview import Dashboard, RunRow
from sync.analytics.weeks import week_of
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

_ORDERS: Mapping[str, tuple[Callable[[RunRow], Any], bool]] = {
    "longest": (lambda run: run.distance_m, True),
    "shortest": (lambda run: run.distance_m, False),
    "best": (lambda run: -9 if run.mood is None else run.mood, True),
    "lowest": (lambda run: 9 if run.mood is None else run.mood, False),
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
        runs=[run for run in data.runs if run.local_day >= since],
        weeks=[week for week in data.weeks if week.day >= first],
    )


def page_of(
    runs: Sequence[RunRow], wanted: Wanted, unit: Unit
) -> tuple[list[RunRow], int, int]:
    """Return one page of the wanted runs, how many there are, and the last page."""
    found = [run for run in runs if _fits(run, wanted, unit)]
    if wanted.sort != "oldest":
        found.reverse()
    if wanted.sort in _ORDERS:
        key, is_falling = _ORDERS[wanted.sort]
        found.sort(key=key, reverse=is_falling)
    last = max(1, -(-len(found) // PAGE))
    page = min(max(1, wanted.page), last)
    return found[(page - 1) * PAGE : page * PAGE], len(found), last


def _fits(run: RunRow, wanted: Wanted, unit: Unit) -> bool:
    week = run.week_m / METRES[unit]
    return (
        _has_mood(run, wanted.mood)
        and (wanted.since is None or run.local_day >= wanted.since)
        and (wanted.until is None or run.local_day <= wanted.until)
        and (wanted.least is None or week >= wanted.least)
        and (wanted.below is None or week < wanted.below)
    )


def _has_mood(run: RunRow, wanted: str) -> bool:
    match wanted:
        case "":
            return True
        case "told":
            return run.mood is not None
        case "none":
            return run.mood is None
        case "good":
            return run.mood is not None and tile(run.mood) >= _GOOD
        case _:
            return run.mood is not None and tile(run.mood) == int(wanted)


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
