"""Windows of days, and the day on which a runner's week begins."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sync.analytics.stats.series import Ints

DayNumber = TypeVar("DayNumber", int, "Ints")

WEEK_DAYS = 7
MONTH_DAYS = 28
USUAL_DAYS = 56
MONDAY = 0
SUNDAY = 6
_WEEKDAY_BY_NAME: Mapping[str, int] = {"monday": MONDAY, "sunday": SUNDAY}


def get_first_weekday(preferences: Mapping[str, Any]) -> int:
    """Return the first day of this runner's week, Python's Monday 0 … Sunday 6."""
    return _WEEKDAY_BY_NAME.get(preferences.get("week_starts", ""), MONDAY)


def find_week_start(day: date, first_weekday: int = MONDAY) -> date:
    """Return the first day of the week that `day` lies in."""
    return date.fromordinal(find_first_day_number(day.toordinal(), first_weekday))


def find_first_day_number(
    day_number: DayNumber, first_weekday: int = MONDAY
) -> DayNumber:
    """Return the first day of the week of a day, or of days of shape (n,).

    Day numbers count as `date.toordinal()` does.  There are no calendar weeks, so
    there is no week 53.
    """
    return day_number - (day_number - 1 - first_weekday) % WEEK_DAYS
