"""The settings form, read and checked: what a runner may choose, and nothing else."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from sync.errors import MoodmilesError

ASK: Mapping[str, str] = {
    "every-run": "After every run",
    "every-other-run": "After every other run",
    "long-runs": "After long runs only",
    "never": "Never by mail",
}
DELAYS: Mapping[str, str] = {
    "0": "Straight away",
    "15": "15 minutes after the run",
    "30": "30 minutes after the run",
    "60": "1 hour after the run",
    "180": "3 hours after the run",
}
PAUSES: Mapping[str, str] = {
    "": "Not paused",
    "7": "Pause for 1 week",
    "30": "Pause for 1 month",
}
UNITS: Mapping[str, str] = {"km": "Kilometres", "mi": "Miles"}
KEEP_PAUSE = "keep"


class NotAChoice(MoodmilesError):
    """A setting that is not one of those offered."""


def changes_in(form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    """Return the preferences that this form sets, or raise `NotAChoice`."""
    changes: dict[str, Any] = {
        "ask": _one_of(ASK, form, "ask"),
        "delay_min": int(_one_of(DELAYS, form, "delay_min")),
        "quiet_from": _clock(form, "quiet_from"),
        "quiet_until": _clock(form, "quiet_until"),
        "ask_manual": "ask_manual" in form,
        "distance_in_mail": "distance_in_mail" in form,
        "units": _one_of(UNITS, form, "units"),
    }
    if form.get("pause") != KEEP_PAUSE:
        days = _one_of(PAUSES, form, "pause")
        until = now + timedelta(days=int(days)) if days else None
        changes["paused_until"] = until.isoformat() if until else None
    return changes


def _one_of(choices: Mapping[str, str], form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if value not in choices:
        raise NotAChoice("That is not one of the choices: please choose again.")
    return value


def _clock(form: Mapping[str, str], name: str) -> str:
    try:
        return f"{time.fromisoformat(form.get(name, '')):%H:%M}"
    except ValueError:
        raise NotAChoice("Please give quiet hours as times such as 21:30.") from None
