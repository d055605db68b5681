"""Windows of days, and the day on which a runner's week begins."""

from datetime import date
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sync.analytics.stats.series import Floats, Ints

DayNumber = TypeVar("DayNumber", int, "Ints")

WEEK_DAYS = 7
MONTH_DAYS = 28
USUAL_DAYS = 56
MONDAY = 0
SUNDAY = 6


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


def count_from_monday(day_numbers: "Ints") -> "Floats":
    """Return the days, shape (n,), numbered from a Monday, as `link` has them.

    `date.toordinal()` calls the first Monday of its calendar day 1.
    """
    return (day_numbers - 1).astype(float)
