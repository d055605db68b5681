"""Where a runner's week begins: Monday or Sunday, as they like."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

MONDAY = 0
SUNDAY = 6
_WEEKDAY_BY_NAME: Mapping[str, int] = {"monday": MONDAY, "sunday": SUNDAY}


def get_first_weekday(preferences: Mapping[str, Any]) -> int:
    """Return the first day of this runner's week, Python's Monday 0 … Sunday 6."""
    return _WEEKDAY_BY_NAME.get(preferences.get("week_starts", ""), MONDAY)


def find_week_start(day: date, week_starts_on: int = MONDAY) -> date:
    """Return the day on which the week of `day` began."""
    return day - timedelta(days=(day.weekday() - week_starts_on) % 7)
