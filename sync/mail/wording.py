"""Times and distances as a mail says them.  Pure."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_METRES_IN = {"km": 1000.0, "mi": 1609.344}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOODS = {-2: "Awful", -1: "Low", 0: "OK", 1: "Good", 2: "Great"}
_UNITS = ((24 * 60, "day"), (60, "hour"), (1, "minute"))
_PARTS_OF_DAY = ((3, "night"), (12, "morning"), (17, "afternoon"), (24, "evening"))


def occasion(started_at: datetime, *, now: datetime, zone: str) -> str | None:
    """Return "this morning", "last night" or so; None when it is too long ago."""
    started, today = _local(started_at, zone), _local(now, zone)
    part = next(name for end, name in _PARTS_OF_DAY if started.hour < end)
    match (today.date() - started.date()).days, part:
        case (0, "night") | (1, "evening"):
            return "last night"
        case (0, _):
            return f"this {part}"
        case (1, "night"):
            return "yesterday"
        case (1, _):
            return f"yesterday {part}"
        case _:
            return None


def moment(at: datetime, *, zone: str) -> str:
    """Return "Sun 22 Nov, 09:18" in the runner's zone, naming UTC if it is not."""
    local = _local(at, zone)
    place = "" if local.tzname() != "UTC" else " UTC"
    return f"{local:%a} {local.day} {local:%b, %H:%M}{place}"


def distance(distance_m: float, *, units: str) -> str:
    return f"{distance_m / _METRES_IN[units]:.1f} {units}"


def week_summary(
    runs: int,
    distances_m: Sequence[float],
    moods: Sequence[Sequence[int]],
    *,
    units: str,
) -> str:
    """Return "3 runs, 24.1 km, 2 answers" as a sentence."""
    answers = sum(map(len, moods))
    return (
        f"{_count(runs, 'run')}, {distance(sum(distances_m), units=units)}, "
        f"{_count(answers, 'answer')}."
    )


def week_described(
    distances_m: Sequence[float],
    moods: Sequence[Sequence[int]],
    *,
    units: str,
    first_weekday: int = 0,
) -> str:
    """Say in words what the picture of the week shows, day by day."""
    names = _DAYS[first_weekday:] + _DAYS[:first_weekday]
    days = [
        f"{name} {distance(metres, units=units)}"
        + "".join(f", {_MOODS[mood]}" for mood in said)
        for name, metres, said in zip(names, distances_m, moods, strict=True)
        if metres or said
    ]
    return "; ".join(days) + "."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def span(time: timedelta) -> str:
    """Return how long, rounded up: "15 minutes", "3 hours", "2 days"."""
    minutes = max(1, math.ceil(time / timedelta(minutes=1)))
    size, unit = next(
        (size, unit) for size, unit in _UNITS if minutes >= 2 * size or size == 1
    )
    count = math.ceil(minutes / size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _local(at: datetime, zone: str) -> datetime:
    """Return the wall clock in `zone`; a zone nobody knows must not cost a mail."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return at.astimezone(ZoneInfo("UTC"))
