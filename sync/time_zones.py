"""Time zones by name, also by names that this machine does not know."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def get_zone(name: str) -> ZoneInfo:
    """Return the zone, or UTC for a name that this machine does not know."""
    return ZoneInfo(name if is_known_zone(name) else "UTC")


def to_local(at: datetime, zone: str) -> datetime:
    """Return `at` on the clocks of `zone`; on UTC's if the zone is unknown."""
    return at.astimezone(get_zone(zone))


@lru_cache(maxsize=512)
def is_known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
