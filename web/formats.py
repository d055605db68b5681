"""Numbers and times as people read them: distances, durations, days, moods."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date, format_skeleton
from flask import Flask

from sync.language import (
    DEFAULT_LANGUAGE,
    current_language,
    current_locale,
    gettext,
    localize_number,
    translatable,
)
from sync.time_zones import to_local
from sync.vocabulary import ConsentKind, DistanceUnit, Mood

MOOD_LABELS: Mapping[int, str] = {
    Mood.AWFUL: translatable("Awful"),
    Mood.LOW: translatable("Low"),
    Mood.OK: translatable("OK"),
    Mood.GOOD: translatable("Good"),
    Mood.GREAT: translatable("Great"),
}
# Moods as addresses, classes and colours count them, from 1.
TILES = tuple(mood.tile for mood in Mood)
GOOD_TILES = (Mood.GOOD.tile, Mood.GREAT.tile)
# Thousands of dots ask for it: a look-up is much faster than the enum.
_TILES_BY_MOOD: Mapping[int, int] = {mood.value: mood.tile for mood in Mood}
CONSENT_LABELS = {
    ConsentKind.STRAVA: translatable("Reading runs from Strava"),
    ConsentKind.MOOD: translatable("Storing mood answers"),
    ConsentKind.ADULT: translatable("Being 18 or older"),
    ConsentKind.MAIL: translatable("E-mails after runs"),
    ConsentKind.PRIVATE: translatable("Runs only you can see"),
}
# Babel's skeletons of dates; English has shorter patterns than Babel's.
_LONG_DATE, _SHORT_DATE, _DATE_WITHOUT_YEAR = "yMMMEd", "yMMMd", "MMMEd"
_MONTH_NAME, _MONTH_AND_YEAR = "MMM", "yMMMM"
_ENGLISH_PATTERNS: Mapping[str, str] = {
    _LONG_DATE: "EEE d MMM y",
    _SHORT_DATE: "d MMM y",
    _DATE_WITHOUT_YEAR: "EEE d MMM",
    _MONTH_NAME: "MMM",
    _MONTH_AND_YEAR: "MMMM y",
}
_MAX_CACHED_DATES = 20_000


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(word=mood_label, CONSENTS=CONSENT_LABELS)
    app.jinja_env.filters.update(
        moment_in=format_datetime,
        short=format_short_date,
        thousands=format_thousands,
        to_the_second=format_datetime_to_second,
        file_size=format_file_size,
    )


def parse_unit(units: str) -> DistanceUnit:
    """Return the unit that a runner prefers, kilometres unless it is miles."""
    return DistanceUnit.MI if units == DistanceUnit.MI else DistanceUnit.KM


def mood_to_tile(mood: int) -> int:
    """Return the place of a stored mood (-2 to 2) among the five answers, 1 to 5."""
    return _TILES_BY_MOOD[mood]


def parse_tile(text: str | None) -> int | None:
    """Return the tile, 1 to 5, that a form or an address names; None for others."""
    return next((tile for tile in TILES if text == str(tile)), None)


def mood_label(tile: int) -> str:
    """Return the localized name of a tile, 1 to 5."""
    return gettext(MOOD_LABELS[Mood.from_tile(tile)])


def convert_distance(distance_m: float, unit: DistanceUnit) -> float:
    return distance_m / unit.metres


def format_number(value: float) -> str:
    """One decimal place, and none where it is a zero."""
    return localize_number(f"{value:,.1f}".removesuffix(".0"))


def format_thousands(value: int) -> str:
    return localize_number(f"{value:,}")


def format_distance(distance_m: float, unit: DistanceUnit = DistanceUnit.KM) -> str:
    return (
        f"{format_number(convert_distance(distance_m, unit))}\N{NO-BREAK SPACE}{unit}"
    )


def format_duration(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f"{hours}\N{NO-BREAK SPACE}h {minutes:02d}\N{NO-BREAK SPACE}min"
    return f"{minutes}\N{NO-BREAK SPACE}min"


def format_file_size(size_bytes: int) -> str:
    """Return a size such as "8.8 kB", in steps of a thousand."""
    thousand = 1000
    size, unit = size_bytes / thousand, "kB"
    for larger_unit in ("MB", "GB"):
        if size >= thousand:
            size, unit = size / thousand, larger_unit
    return f"{format_number(size)}\N{NO-BREAK SPACE}{unit}"


def format_long_date(day: date) -> str:
    return _format_date(day, _LONG_DATE, current_language())


def format_short_date(day: date) -> str:
    local_day = day.date() if isinstance(day, datetime) else day
    return _format_date(local_day, _SHORT_DATE, current_language())


def format_month(day: date) -> str:
    """Return the short name of the day's month, for an axis."""
    return _format_date(day, _MONTH_NAME, current_language())


def format_month_and_year(day: date) -> str:
    return _format_date(day, _MONTH_AND_YEAR, current_language())


def format_time(at: datetime) -> str:
    return f"{at:%H:%M}"


def format_datetime(at: datetime, zone: str) -> str:
    local_at = to_local(at, zone)
    day = _format_date(local_at.date(), _DATE_WITHOUT_YEAR, current_language())
    return f"{day}, {format_time(local_at)}"


def format_datetime_to_second(at: datetime) -> str:
    """Return a moment on this machine's own clock, to the second."""
    local_at = at.astimezone()
    day = _format_date(local_at.date(), _DATE_WITHOUT_YEAR, current_language())
    return f"{day}, {local_at:%H:%M:%S}"


def country_name(code: str) -> str:
    """Return a country's localized name, such as "Ireland" for IE."""
    name: str = current_locale().territories.get(code, code)
    return name


# Babel reads a pattern anew for each day; a dashboard writes thousands of them.
@lru_cache(maxsize=_MAX_CACHED_DATES)
def _format_date(day: date, pattern_name: str, language: str) -> str:
    if language == DEFAULT_LANGUAGE:
        return format_date(
            day, _ENGLISH_PATTERNS[pattern_name], locale=current_locale()
        )
    return format_skeleton(pattern_name, day, locale=current_locale())
