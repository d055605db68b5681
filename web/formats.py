"""Numbers and times as people read them: distances, durations, days, moods."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_skeleton
from flask import Flask

from sync.language import DEFAULT, gettext, locale, localized, spoken, translatable

Unit = Literal["km", "mi"]

METRES = {"km": 1000.0, "mi": 1609.344}
# Stored -2 to +2; in addresses, classes and colours 1 to 5.
MOODS = {
    -2: translatable("Awful"),
    -1: translatable("Low"),
    0: translatable("OK"),
    1: translatable("Good"),
    2: translatable("Great"),
}
TILES = range(1, 6)
CONSENTS = {
    "strava": translatable("Reading runs from Strava"),
    "mood": translatable("Storing mood answers"),
    "adult": translatable("Being 18 or older"),
    "mail": translatable("E-mails after runs"),
    "private": translatable("Runs only you can see"),
}
# Babel's names for what is shown of a day; English stays as short as it was.
_LONG, _SHORT, _LATELY = "yMMMEd", "yMMMd", "MMMEd"
_MONTH, _MONTH_OF_YEAR = "MMM", "yMMMM"
_ENGLISH: Mapping[str, str] = {
    _LONG: "EEE d MMM y",
    _SHORT: "d MMM y",
    _LATELY: "EEE d MMM",
    _MONTH: "MMM",
    _MONTH_OF_YEAR: "MMMM y",
}
_MOST_DAYS = 20_000


def register(app: Flask) -> None:
    app.jinja_env.globals.update(word=word, CONSENTS=CONSENTS)
    app.jinja_env.filters.update(
        clock_in=clock_in,
        short=short,
        thousands=thousands,
        to_the_second=to_the_second,
        file_size=file_size,
    )


def unit_of(units: str) -> Unit:
    """Return the unit that a runner prefers, kilometres unless it is miles."""
    return "mi" if units == "mi" else "km"


def tile(mood: int) -> int:
    """Return the place of a stored mood (-2 to 2) among the five answers, 1 to 5."""
    return mood + 3


def word(place: int) -> str:
    """Return what the answer at a place, 1 to 5, is called in the language spoken."""
    return gettext(MOODS[place - 3])


def in_unit(distance_m: float, unit: Unit) -> float:
    return distance_m / METRES[unit]


def number(value: float) -> str:
    """One decimal place, and none where it is a zero."""
    return localized(f"{value:,.1f}".removesuffix(".0"))


def thousands(value: int) -> str:
    return localized(f"{value:,}")


def distance(distance_m: float, unit: Unit = "km") -> str:
    return f"{number(in_unit(distance_m, unit))}\N{NO-BREAK SPACE}{unit}"


def duration(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f"{hours}\N{NO-BREAK SPACE}h {minutes:02d}\N{NO-BREAK SPACE}min"
    return f"{minutes}\N{NO-BREAK SPACE}min"


def file_size(size_bytes: int) -> str:
    """Return a size such as "8.8 kB", in steps of a thousand."""
    thousand = 1000
    size, unit = size_bytes / thousand, "kB"
    for larger in ("MB", "GB"):
        if size >= thousand:
            size, unit = size / thousand, larger
    return f"{number(size)}\N{NO-BREAK SPACE}{unit}"


def long_day(day: date) -> str:
    return _written(day, _LONG, spoken())


def short(day: date) -> str:
    its_day = day.date() if isinstance(day, datetime) else day
    return _written(its_day, _SHORT, spoken())


def month(day: date) -> str:
    """Return the short name of the day's month, for an axis."""
    return _written(day, _MONTH, spoken())


def month_of_year(day: date) -> str:
    return _written(day, _MONTH_OF_YEAR, spoken())


def clock(at: datetime) -> str:
    return f"{at:%H:%M}"


def clock_in(at: datetime, zone: str) -> str:
    return clock(in_zone(at, zone))


def in_zone(at: datetime, zone: str) -> datetime:
    """Return `at` on the clocks of `zone`; unchanged where nobody knows that zone."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return at


def moment(at: datetime, zone: str) -> str:
    local_at = in_zone(at, zone)
    return f"{_written(local_at.date(), _LATELY, spoken())}, {clock(local_at)}"


def to_the_second(at: datetime) -> str:
    """Return a moment on this machine's own clock, for whoever watches mails come."""
    here_at = at.astimezone()
    return f"{_written(here_at.date(), _LATELY, spoken())}, {here_at:%H:%M:%S}"


def country(code: str) -> str:
    """Return a country's name, such as "Ireland" for IE, in the language spoken."""
    name: str = locale().territories.get(code, code)
    return name


# Babel reads a pattern anew for each day; a dashboard writes thousands of them.
@lru_cache(maxsize=_MOST_DAYS)
def _written(day: date, shown: str, language: str) -> str:
    if language == DEFAULT:
        return format_date(day, _ENGLISH[shown], locale=locale())
    return format_skeleton(shown, day, locale=locale())
