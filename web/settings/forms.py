"""The settings form, read and checked: what a runner may choose, and nothing else."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from sync.errors import MoodmilesError
from sync.language import LANGUAGES, gettext, translatable

ASK: Mapping[str, str] = {
    "every-run": translatable("After every run"),
    "every-other-run": translatable("After every other run"),
    "weekly": translatable("Once a week"),
    "long-runs": translatable("After long runs only"),
    "never": translatable("Never by mail"),
}
DELAYS: Mapping[str, str] = {
    "0": translatable("Straight away"),
    "15": translatable("15 minutes after the run"),
    "30": translatable("30 minutes after the run"),
    "60": translatable("1 hour after the run"),
    "180": translatable("3 hours after the run"),
}
PAUSES: Mapping[str, str] = {
    "": translatable("Not paused"),
    "7": translatable("Pause for 1 week"),
    "30": translatable("Pause for 1 month"),
}
CHECKIN_FOCUS: Mapping[str, str] = {
    "sleep": translatable("Last night’s sleep, before noon"),
    "confidence": translatable("Confidence"),
    "control": translatable("Being in control of the day"),
    "": translatable("Nothing more"),
}
# Where people are; the rest are old names and offsets that know no summer time.
REGIONS = frozenset({"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic"})
REGIONS |= {"Australia", "Europe", "Indian", "Pacific", "UTC"}
SWITCHES = (
    "ask_manual",
    "distance_in_mail",
    "reminders",
    "checkins",
    "digest",
    "before",
    "stress",
    "context",
)
UNITS: Mapping[str, str] = {
    "km": translatable("Kilometres"),
    "mi": translatable("Miles"),
}
WEEK_STARTS: Mapping[str, str] = {
    "monday": translatable("Monday"),
    "sunday": translatable("Sunday"),
}
KEEP_PAUSE = "keep"


class InvalidChoice(MoodmilesError):
    """A setting that is not one of those offered."""


def parse_survey_settings(
    form: Mapping[str, str], *, focuses: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Return how this form wants to be asked, or raise `NotAChoice`.

    `focuses` are the extra questions to choose from; one that cannot change yet
    is not in the form.
    """
    changes: dict[str, Any] = {
        "ask": _parse_choice(ASK, form, "ask"),
        "delay_min": int(_parse_choice(DELAYS, form, "delay_min")),
        "quiet_from": _parse_time(form, "quiet_from"),
        "quiet_until": _parse_time(form, "quiet_until"),
    } | {name: name in form for name in SWITCHES}
    for name, choices in (("focus", focuses), ("checkin_focus", CHECKIN_FOCUS)):
        if name in form:
            changes[name] = _parse_choice(choices, form, name)
    if form.get("pause") != KEEP_PAUSE:
        days = _parse_choice(PAUSES, form, "pause")
        paused_until = now + timedelta(days=int(days)) if days else None
        changes["paused_until"] = paused_until.isoformat() if paused_until else None
    return changes


def parse_display_settings(
    form: Mapping[str, str], *, countries: Mapping[str, str]
) -> dict[str, Any]:
    """Return the rest of what the settings page sets, or raise `NotAChoice`.

    `countries` are those whose lines to talk to can be chosen.
    """
    changes: dict[str, Any] = {
        "units": _parse_choice(UNITS, form, "units"),
        "wellbeing": "wellbeing" in form,
    }
    if "language" in form:
        changes["language"] = _parse_choice(LANGUAGES, form, "language")
    for name, choices in (("week_starts", WEEK_STARTS), ("country", countries)):
        if name in form:
            changes[name] = _parse_choice(choices, form, name)
    if "zone" in form:
        if form["zone"] not in available_timezones():
            raise InvalidChoice(
                gettext("Please give a time zone such as Europe/Berlin.")
            )
        changes["zone"] = form["zone"]
    return changes


def list_time_zones(current: str) -> list[str]:
    """Return the time zones to choose from, and the one that is set."""
    available = {
        zone for zone in available_timezones() if zone.split("/")[0] in REGIONS
    }
    return sorted({*available, current})


def _parse_choice(
    choices: Mapping[str, str], form: Mapping[str, str], name: str
) -> str:
    value = form.get(name, "")
    if value not in choices:
        raise InvalidChoice(
            gettext("That is not one of the choices: please choose again.")
        )
    return value


def _parse_time(form: Mapping[str, str], name: str) -> str:
    try:
        return f"{time.fromisoformat(form.get(name, '')):%H:%M}"
    except ValueError:
        raise InvalidChoice(
            gettext("Please give quiet hours as times such as 21:30.")
        ) from None
