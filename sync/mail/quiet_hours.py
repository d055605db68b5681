"""The hours in which no question may reach a runner.  Pure."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FROM = "21:30"
UNTIL = "07:00"
# Someone waits for the others, or must hear of them at once.
KEEPS_QUIET = {"survey", "survey_reminder", "checkin", "slow_down_question", "digest"}


def after_quiet_hours(
    at: datetime, quiet: tuple[time, time], zone: ZoneInfo
) -> datetime:
    """Return `at`, or the end of the quiet hours that it falls into."""
    start, end = quiet
    if start == end:
        return at
    local = at.astimezone(zone)
    clock = local.time()
    if start < end:
        is_quiet = start <= clock < end
        days_on = 0
    else:
        is_quiet = clock >= start or clock < end
        days_on = 1 if clock >= start else 0
    if not is_quiet:
        return at
    morning = datetime.combine(local.date() + timedelta(days=days_on), end, tzinfo=zone)
    return morning.astimezone(at.tzinfo)


def chosen(preferences: Mapping[str, Any]) -> tuple[time, time]:
    """Return a runner's quiet hours from what is stored of their settings."""
    return (
        time.fromisoformat(preferences.get("quiet_from", FROM)),
        time.fromisoformat(preferences.get("quiet_until", UNTIL)),
    )


def zone_of(name: str) -> ZoneInfo:
    """Return the zone, or UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
