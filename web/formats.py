"""Numbers and times as people read them: distances, durations, days, moods."""

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask

Unit = Literal["km", "mi"]

METRES = {"km": 1000.0, "mi": 1609.344}
# Stored -2 to +2; in addresses, classes and colours 1 to 5.
MOODS = {-2: "Awful", -1: "Low", 0: "OK", 1: "Good", 2: "Great"}
CONSENTS = {
    "strava": "Reading runs from Strava",
    "mood": "Storing mood answers",
    "adult": "Being 18 or older",
    "mail": "E-mails after runs",
    "private": "Runs only you can see",
}
WORDS = {mood + 3: word for mood, word in MOODS.items()}


def register(app: Flask) -> None:
    app.jinja_env.globals.update(WORDS=WORDS, CONSENTS=CONSENTS)
    app.jinja_env.filters.update(
        short=short,
        thousands=thousands,
    )


def unit_of(units: str) -> Unit:
    """Return the unit that a runner prefers, kilometres unless it is miles."""
    return "mi" if units == "mi" else "km"


def tile(mood: int) -> int:
    """Return the place of a stored mood (-2 to 2) among the five answers, 1 to 5."""
    return mood + 3


def in_unit(distance_m: float, unit: Unit) -> float:
    return distance_m / METRES[unit]


def number(value: float) -> str:
    """One decimal place, and none where it is a zero."""
    return f"{value:,.1f}".removesuffix(".0")


def thousands(value: int) -> str:
    return f"{value:,}"


def distance(distance_m: float, unit: Unit = "km") -> str:
    return f"{number(in_unit(distance_m, unit))}\N{NO-BREAK SPACE}{unit}"


def duration(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return f"{hours}\N{NO-BREAK SPACE}h {minutes:02d}\N{NO-BREAK SPACE}min"
    return f"{minutes}\N{NO-BREAK SPACE}min"


def long_day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b} {day.year}"


def short(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def clock(at: datetime) -> str:
    return f"{at:%H:%M}"


def in_zone(at: datetime, zone: str) -> datetime:
    """Return `at` on the clocks of `zone`; unchanged where nobody knows that zone."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return at


def moment(at: datetime, zone: str) -> str:
    local_at = in_zone(at, zone)
    return f"{local_at:%a} {local_at.day} {local_at:%b, %H:%M}"
