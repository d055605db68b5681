"""What we believe of the times that a run's recorder reports.  Pure.

A watch may be years ahead, hours off after a change of zone, or have jumped while it
recorded.  What has not happened when we first hear of it has not happened.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

# Between the clocks of a watch, of Strava and of this machine.
CLOCK_TOLERANCE = timedelta(minutes=10)
# A local day may begin so long before the same day in UTC.
_EASTERNMOST_OFFSET = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class RunClock:
    """`is_ahead`: it began after we heard of it; `elapsed_s` is what may be believed.

    It is the reported time from start to end; the time in motion where the reported
    end was still to come; and never more than had passed.
    """

    is_ahead: bool
    elapsed_s: int


def judge_clock(
    *,
    started_at: datetime,
    local_day: date,
    moving_s: int,
    elapsed_s: int,
    first_seen_at: datetime,
) -> RunClock:
    """Compare a run's times with the moment at which we first heard of it."""
    latest = first_seen_at + CLOCK_TOLERANCE
    last_day = (latest + _EASTERNMOST_OFFSET).date()
    passed_s = int((latest - started_at).total_seconds())
    is_ahead = passed_s < 0 or local_day > last_day
    if elapsed_s <= passed_s:
        return RunClock(is_ahead, elapsed_s)
    since_start_s = int((first_seen_at - started_at).total_seconds())
    return RunClock(is_ahead, max(0, min(moving_s, since_start_s)))
