"""The settings form, read and checked: what a runner may choose, and nothing else."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import available_timezones

from sync.errors import MoodmilesError
from sync.language import gettext, translatable
from sync.preferences import Switch, find_row
from web.settings.cards import Card, list_choices

PAUSES: Mapping[str, str] = {
    "": translatable("Not paused"),
    "7": translatable("Pause for 1 week"),
    "30": translatable("Pause for 1 month"),
}
KEEP_PAUSE = "keep"
# Where people are; the rest are old names and offsets that know no summer time.
REGIONS = frozenset({"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic"})
REGIONS |= {"Australia", "Europe", "Indian", "Pacific", "UTC"}


class InvalidChoice(MoodmilesError):
    """A setting that is not one of those offered."""


def parse_settings(
    form: Mapping[str, str],
    cards: Iterable[Card],
    *,
    page_choices: Mapping[str, Mapping[str, str]],
    now: datetime,
) -> dict[str, Any]:
    """Return the preferences that these cards' form sets, and `zone`.

    A choice that is not in the form stays as it is, a switch that is not is off.
    Raises `InvalidChoice`.
    """
    changes: dict[str, Any] = {}
    for name in (name for card in cards for name in card):
        setting = find_row(name)
        if setting is None:
            changes |= _parse_own_row(name, form, now=now)
        elif isinstance(setting, Switch):
            changes[name] = name in form
        elif name in form:
            offered = list_choices(name, setting, page_choices)
            changes[name] = _parse_choice(offered, form[name])
    return changes


def _parse_own_row(
    name: str, form: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    match name:
        case "quiet_hours":
            fields = ("quiet_from", "quiet_until")
            return {field: _parse_time(form.get(field, "")) for field in fields}
        case "pause" if form.get("pause") != KEEP_PAUSE:
            days = _parse_choice(PAUSES, form.get("pause", ""))
            return {"paused_until": now + pause_length(days) if days else None}
        case "zone" if "zone" in form:
            if form["zone"] not in available_timezones():
                raise InvalidChoice(
                    gettext("Please give a time zone such as Europe/Berlin.")
                )
            return {"zone": form["zone"]}
        case _:
            return {}


def pause_length(days: str) -> timedelta:
    """Return how long one of `PAUSES` lasts."""
    return timedelta(days=int(days))


def list_time_zones(current: str) -> list[str]:
    """Return the time zones to choose from, and the one that is set."""
    available = {
        zone for zone in available_timezones() if zone.split("/")[0] in REGIONS
    }
    return sorted({*available, current})


def _parse_choice(choices: Mapping[str, str], value: str) -> str:
    if value not in choices:
        raise InvalidChoice(
            gettext("That is not one of the choices: please choose again.")
        )
    return value


def _parse_time(text: str) -> str:
    try:
        return f"{time.fromisoformat(text):%H:%M}"
    except ValueError:
        raise InvalidChoice(
            gettext("Please give quiet hours as times such as 21:30.")
        ) from None
