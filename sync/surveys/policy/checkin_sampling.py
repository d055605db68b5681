"""Which days get a check-in, and when on such a day.  Pure.

The draw is made from a secret of the host, the runner and the day: nobody can
foresee it, and whoever makes it again gets the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sync.mail.quiet_hours import after_quiet_hours
from sync.preferences import Preferences
from sync.surveys.policy.frequency import WEEK, Asked, Mailed
from sync.surveys.policy.parameters import Policy

_DIGITS = 16
_ENOUGH_TIMES = 5
_NOON = 12
SLEEP, INSTEAD_OF_SLEEP = "sleep", "control"


@dataclass(frozen=True, slots=True)
class Chance:
    """Two numbers from 0 up to 1, for whether and when."""

    whether: float
    when: float

    @classmethod
    def of(cls, signature: str) -> "Chance":
        """Make a chance of 32 hex digits that are as good as random."""
        span = 16**_DIGITS
        first, second = signature[:_DIGITS], signature[_DIGITS : 2 * _DIGITS]
        return cls(int(first, 16) / span, int(second, 16) / span)


@dataclass(frozen=True, slots=True)
class Day:
    """A runner's day, before it is known whether it gets a check-in."""

    day: date
    zone: ZoneInfo
    preferences: Preferences
    answer_times: Sequence[time]
    asked: Sequence[Asked]
    mailed: Sequence[Mailed]


@dataclass(frozen=True, slots=True)
class Draw:
    """What came out: `at` is set only where a question is to be put."""

    drawn: bool
    reason: str
    at: datetime | None = None


def draw(today: Day, chance: Chance, policy: Policy, *, now: datetime) -> Draw:
    """Draw for one day; what speaks against asking is noted, never drawn again."""
    if chance.whether >= policy.checkin_probability:
        return Draw(drawn=False, reason="not drawn")
    clock = clock_time(today.answer_times, chance.when, policy)
    at = datetime.combine(today.day, clock, tzinfo=today.zone)
    awake = after_quiet_hours(at, today.preferences.quiet_hours, today.zone)
    reason = _against(today, awake, policy, now=now)
    if reason is not None:
        return Draw(drawn=True, reason=reason)
    return Draw(drawn=True, reason="drawn", at=awake.astimezone(now.tzinfo))


def clock_time(answered: Sequence[time], when: float, policy: Policy) -> time:
    """Return a time of day at which this runner answers after runs.

    So the check-ins are matched with the run answers by the clock; without
    enough of those, any time of the afternoon is as likely as any other.
    """
    if len(answered) >= _ENOUGH_TIMES:
        return sorted(answered)[int(when * len(answered))]
    first = _minute(time.fromisoformat(policy.checkin_from))
    last = _minute(time.fromisoformat(policy.checkin_until))
    minute = first + int(when * (last - first))
    return time(minute // 60, minute % 60)


def focus_at(at: datetime, chosen: str, zone: ZoneInfo) -> str:
    """Return the check-in's third question; last night is too far from the evening."""
    if chosen == SLEEP and at.astimezone(zone).hour >= _NOON:
        return INSTEAD_OF_SLEEP
    return chosen


def _against(today: Day, at: datetime, policy: Policy, *, now: datetime) -> str | None:
    if at.astimezone(today.zone).date() != today.day:
        return "quiet hours"
    if at <= now:
        return "too late"
    if any(today.day in {asked.local_day, asked.run_day} for asked in today.asked):
        return "one a day"
    if any(m.at.astimezone(today.zone).date() == today.day for m in today.mailed):
        return "one a day"
    if _checkins_in_the_week_before(today.mailed, at) >= policy.most_checkins_a_week:
        return "enough this week"
    return None


def _checkins_in_the_week_before(mailed: Sequence[Mailed], at: datetime) -> int:
    return sum(mail.kind == "checkin" and mail.at > at - WEEK for mail in mailed)


def _minute(clock: time) -> int:
    return int(timedelta(hours=clock.hour, minutes=clock.minute) / timedelta(minutes=1))
