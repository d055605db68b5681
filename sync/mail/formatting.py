"""Times, distances and weeks as a mail says them, in the language spoken.  Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_skeleton

from sync.language import (
    DEFAULT,
    locale,
    localized,
    ngettext,
    pgettext,
    spoken,
    translatable,
)
from sync.language import gettext as _

_METRES_IN = {"km": 1000.0, "mi": 1609.344}
MOODS: Mapping[int, str] = {
    -2: translatable("Awful"),
    -1: translatable("Low"),
    0: translatable("OK"),
    1: translatable("Good"),
    2: translatable("Great"),
}
_HOUR_MIN, _DAY_MIN = 60, 24 * 60
_PARTS_OF_DAY = ((3, "night"), (12, "morning"), (17, "afternoon"), (24, "evening"))
_TODAY: Mapping[str, str] = {
    "morning": translatable("this morning"),
    "afternoon": translatable("this afternoon"),
    "evening": translatable("this evening"),
}
_YESTERDAY: Mapping[str, str] = {
    "night": translatable("yesterday"),
    "morning": translatable("yesterday morning"),
    "afternoon": translatable("yesterday afternoon"),
}


def occasion(started_at: datetime, *, now: datetime, zone: str) -> str | None:
    """Return "this morning", "last night" or so; None when it is too long ago."""
    started, today = _local(started_at, zone), _local(now, zone)
    part = next(name for end, name in _PARTS_OF_DAY if started.hour < end)
    match (today.date() - started.date()).days, part:
        case (0, "night"):
            return pgettext("after midnight", "last night")
        case (1, "evening"):
            return pgettext("before midnight", "last night")
        case (0, earlier):
            return _(_TODAY[earlier])
        case (1, earlier):
            return _(_YESTERDAY[earlier])
        case _:
            return None


def moment(at: datetime, *, zone: str) -> str:
    """Return "Sun 22 Nov, 09:18" in the runner's zone, naming UTC if it is not."""
    local = _local(at, zone)
    place = "" if local.tzname() != "UTC" else " UTC"
    return f"{_day(local)}, {local:%H:%M}{place}"


def _day(local: datetime) -> str:
    if spoken() == DEFAULT:
        return f"{local:%a} {local.day} {local:%b}"
    return format_skeleton("MMMEd", local.date(), locale=locale())


def distance(distance_m: float, *, units: str) -> str:
    return f"{localized(f'{distance_m / _METRES_IN[units]:.1f}')} {units}"


def week_summary(
    runs: int,
    distances_m: Sequence[float],
    moods: Sequence[Sequence[int]],
    *,
    units: str,
) -> str:
    """Return "3 runs, 24.1 km, 2 answers" as a sentence."""
    parts = (
        ngettext("%(n)s run", "%(n)s runs", runs),
        distance(sum(distances_m), units=units),
        ngettext("%(n)s answer", "%(n)s answers", sum(map(len, moods))),
    )
    return f"{', '.join(parts)}."


def week_described(
    distances_m: Sequence[float],
    moods: Sequence[Sequence[int]],
    *,
    units: str,
    first_weekday: int = 0,
) -> str:
    """Say in words what the picture of the week shows, day by day."""
    shown = locale().days["stand-alone"]["abbreviated"]
    days = [
        f"{shown[(first_weekday + number) % 7]} {distance(metres, units=units)}"
        + "".join(f", {_(MOODS[mood])}" for mood in said)
        for number, (metres, said) in enumerate(zip(distances_m, moods, strict=True))
        if metres or said
    ]
    return "; ".join(days) + "."


def span(time: timedelta) -> str:
    """Return how long, rounded up: "15 minutes", "3 hours", "2 days"."""
    minutes = max(1, math.ceil(time / timedelta(minutes=1)))
    size, said = next(
        (size, said) for size, said in _SPANS if minutes >= 2 * size or size == 1
    )
    return said(math.ceil(minutes / size))


def _days(count: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", count)


def _hours(count: int) -> str:
    return ngettext("%(n)s hour", "%(n)s hours", count)


def _minutes(count: int) -> str:
    return ngettext("%(n)s minute", "%(n)s minutes", count)


def _local(at: datetime, zone: str) -> datetime:
    """Return the wall clock in `zone`; a zone nobody knows must not cost a mail."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return at.astimezone(ZoneInfo("UTC"))


_SPANS: tuple[tuple[int, Callable[[int], str]], ...] = (
    (_DAY_MIN, _days),
    (_HOUR_MIN, _hours),
    (1, _minutes),
)
