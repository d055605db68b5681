"""Times, distances and weeks as text, in the current language.  Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from babel.dates import format_skeleton

from sync.language import (
    DEFAULT_LANGUAGE,
    current_language,
    current_locale,
    localize_number,
    ngettext,
    pgettext,
    translatable,
)
from sync.language import gettext as _
from sync.time_zones import to_local
from sync.vocabulary import DistanceUnit, Mood

MOOD_LABELS: Mapping[int, str] = {
    Mood.AWFUL: translatable("Awful"),
    Mood.LOW: translatable("Low"),
    Mood.OK: translatable("OK"),
    Mood.GOOD: translatable("Good"),
    Mood.GREAT: translatable("Great"),
}
_MINUTES_PER_HOUR, _MINUTES_PER_DAY = 60, 24 * 60
_DAY_PARTS = ((3, "night"), (12, "morning"), (17, "afternoon"), (24, "evening"))
_TODAY_TEXTS: Mapping[str, str] = {
    "morning": translatable("this morning"),
    "afternoon": translatable("this afternoon"),
    "evening": translatable("this evening"),
}
_YESTERDAY_TEXTS: Mapping[str, str] = {
    "night": translatable("yesterday"),
    "morning": translatable("yesterday morning"),
    "afternoon": translatable("yesterday afternoon"),
}


def format_occasion(started_at: datetime, *, now: datetime, zone: str) -> str | None:
    """Return "this morning", "last night" or so; None when it is too long ago."""
    started_local, now_local = to_local(started_at, zone), to_local(now, zone)
    day_part = next(name for end, name in _DAY_PARTS if started_local.hour < end)
    match (now_local.date() - started_local.date()).days, day_part:
        case (0, "night"):
            return pgettext("after midnight", "last night")
        case (1, "evening"):
            return pgettext("before midnight", "last night")
        case (0, earlier_part):
            return _(_TODAY_TEXTS[earlier_part])
        case (1, earlier_part):
            return _(_YESTERDAY_TEXTS[earlier_part])
        case _:
            return None


def format_moment(at: datetime, *, zone: str) -> str:
    """Return "Sun 22 Nov, 09:18" in the runner's zone, naming UTC if it is not."""
    local = to_local(at, zone)
    zone_suffix = "" if local.tzname() != "UTC" else " UTC"
    if current_language() == DEFAULT_LANGUAGE:
        day = f"{local:%a} {local.day} {local:%b}"
    else:
        day = format_skeleton("MMMEd", local.date(), locale=current_locale())
    return f"{day}, {local:%H:%M}{zone_suffix}"


def describe_account(
    *, member_since: datetime, runs: int, is_linked: bool, browser: str
) -> str:
    """Return a sentence by which its owner, and nobody else, knows an account."""
    if current_language() == DEFAULT_LANGUAGE:
        day = f"{member_since.day} {member_since:%B %Y}"
    else:
        day = format_skeleton("yMMMMd", member_since.date(), locale=current_locale())
    parts = [
        _("here since %(day)s", day=day),
        ngettext("%(n)s run", "%(n)s runs", runs),
        _("linked to Strava") if is_linked else _("not linked to Strava"),
    ]
    if browser:
        parts.append(_("asked in %(browser)s", browser=browser))
    return _("The account: %(facts)s.", facts=", ".join(parts))


def format_distance(distance_m: float, *, units: DistanceUnit) -> str:
    return f"{localize_number(f'{distance_m / units.metres:.1f}')} {units}"


def summarize_week(
    runs: int,
    distances_m: Sequence[float],
    moods: Sequence[Sequence[int]],
    *,
    units: DistanceUnit,
) -> str:
    """Return "3 runs, 24.1 km, 2 answers" as a sentence."""
    parts = (
        ngettext("%(n)s run", "%(n)s runs", runs),
        format_distance(sum(distances_m), units=units),
        ngettext("%(n)s answer", "%(n)s answers", sum(map(len, moods))),
    )
    return f"{', '.join(parts)}."


def describe_week(
    distances_m: Sequence[float],
    moods: Sequence[Sequence[int]],
    *,
    units: DistanceUnit,
    first_weekday: int = 0,
) -> str:
    """Return in words what the picture of the week shows, day by day."""
    day_names = current_locale().days["stand-alone"]["abbreviated"]
    days = [
        f"{day_names[(first_weekday + day_index) % 7]} "
        f"{format_distance(distance_m, units=units)}"
        + "".join(f", {_(MOOD_LABELS[mood])}" for mood in day_moods)
        for day_index, (distance_m, day_moods) in enumerate(
            zip(distances_m, moods, strict=True)
        )
        if distance_m or day_moods
    ]
    return "; ".join(days) + "."


def format_duration(duration: timedelta) -> str:
    """Return how long, rounded up: "15 minutes", "3 hours", "2 days"."""
    minutes = max(1, math.ceil(duration / timedelta(minutes=1)))
    if minutes >= 2 * _MINUTES_PER_DAY:
        days = math.ceil(minutes / _MINUTES_PER_DAY)
        return ngettext("%(n)s day", "%(n)s days", days)
    if minutes >= 2 * _MINUTES_PER_HOUR:
        hours = math.ceil(minutes / _MINUTES_PER_HOUR)
        return ngettext("%(n)s hour", "%(n)s hours", hours)
    return ngettext("%(n)s minute", "%(n)s minutes", minutes)
