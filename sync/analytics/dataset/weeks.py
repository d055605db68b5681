"""Where a runner's week begins: Monday or Sunday, as they like."""

from datetime import date, timedelta

MONDAY = 0
SUNDAY = 6


def find_week_start(day: date, week_starts_on: int = MONDAY) -> date:
    """Return the day on which the week of `day` began."""
    return day - timedelta(days=(day.weekday() - week_starts_on) % 7)
