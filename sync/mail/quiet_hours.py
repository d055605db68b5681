"""The hours in which no question may reach a runner.  Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def defer_past_quiet_hours(
    at: datetime, quiet_hours: tuple[time, time], zone: ZoneInfo
) -> datetime:
    """Return `at`, or the end of the quiet hours that it falls into."""
    start, end = quiet_hours
    if start == end:
        return at
    local = at.astimezone(zone)
    local_time = local.time()
    if start < end:
        is_quiet = start <= local_time < end
        days_ahead = 0
    else:
        is_quiet = local_time >= start or local_time < end
        days_ahead = 1 if local_time >= start else 0
    if not is_quiet:
        return at
    quiet_end = datetime.combine(
        local.date() + timedelta(days=days_ahead), end, tzinfo=zone
    )
    return quiet_end.astimezone(at.tzinfo)
