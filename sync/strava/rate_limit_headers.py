"""What Strava's headers say about its limits: pure."""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime

from sync.strava.rate_limit_windows import NONE, Entry, Four


def spoken(headers: Mapping[str, str], *, refused: bool = False) -> Entry:
    """Read both pairs of counts; what is absent or odd counts as not said."""
    told = {name.lower(): value for name, value in headers.items()}
    entry = Entry(
        used=_four(told, "usage"), limits=_four(told, "limit"), refused=refused
    )
    if refused or entry.used != NONE or entry.limits != NONE:
        return replace(entry, heard_at_ms=_moment_ms(told.get("date", "")))
    return entry


def _four(told: Mapping[str, str], what: str) -> Four:
    overall = _pair(told.get(f"x-ratelimit-{what}", ""))
    read = _pair(told.get(f"x-readratelimit-{what}", ""))
    return overall[0], read[0], overall[1], read[1]


def _pair(text: str) -> tuple[int, int]:
    quarter, _, day = text.partition(",")
    try:
        return max(0, int(quarter)), max(0, int(day))
    except ValueError:
        return 0, 0


def _moment_ms(text: str) -> int:
    try:
        return int(parsedate_to_datetime(text).timestamp() * 1000)
    except (ValueError, TypeError):
        return 0
