"""Which days get a check-in, and when on such a day.  Pure.

The draw is made from a secret of the host, the runner and the day: nobody can
foresee it, and whoever makes it again gets the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sync.mail.quiet_hours import defer_past_quiet_hours
from sync.preferences import Preferences
from sync.surveys.policy.frequency import WEEK, QuestionMail, RecentQuestion
from sync.surveys.policy.parameters import Policy
from sync.vocabulary import DrawReason, MailKind

_HEX_DIGITS = 16
_MIN_ANSWER_TIMES = 5
_NOON = 12
SLEEP_FOCUS, AFTERNOON_FOCUS = "sleep", "control"


@dataclass(frozen=True, slots=True)
class Uniforms:
    """Two numbers from 0 up to 1, for whether and when."""

    inclusion: float
    timing: float

    @classmethod
    def from_signature(cls, signature: str) -> "Uniforms":
        """Make a chance of 32 hex digits that are as good as random."""
        span = 16**_HEX_DIGITS
        first, second = (
            signature[:_HEX_DIGITS],
            signature[_HEX_DIGITS : 2 * _HEX_DIGITS],
        )
        return cls(int(first, 16) / span, int(second, 16) / span)


@dataclass(frozen=True, slots=True)
class CheckinDay:
    """A runner's day, before it is known whether it gets a check-in."""

    local_day: date
    zone: ZoneInfo
    preferences: Preferences
    answer_times: Sequence[time]
    recent_questions: Sequence[RecentQuestion]
    recent_mails: Sequence[QuestionMail]


@dataclass(frozen=True, slots=True)
class DrawOutcome:
    """What came out: `at` is set only where a question is to be put."""

    is_drawn: bool
    reason: DrawReason
    at: datetime | None = None


def draw_checkin(
    checkin_day: CheckinDay, uniforms: Uniforms, policy: Policy, *, now: datetime
) -> DrawOutcome:
    """Draw for one day; what speaks against asking is noted, never drawn again."""
    if uniforms.inclusion >= policy.checkin_probability:
        return DrawOutcome(is_drawn=False, reason=DrawReason.NOT_DRAWN)
    time_of_day = draw_time_of_day(checkin_day.answer_times, uniforms.timing, policy)
    drawn_at = datetime.combine(
        checkin_day.local_day, time_of_day, tzinfo=checkin_day.zone
    )
    send_at = defer_past_quiet_hours(
        drawn_at, checkin_day.preferences.quiet_hours, checkin_day.zone
    )
    reason = _find_suppression_reason(checkin_day, send_at, policy, now=now)
    if reason is not None:
        return DrawOutcome(is_drawn=True, reason=reason)
    return DrawOutcome(
        is_drawn=True, reason=DrawReason.DRAWN, at=send_at.astimezone(now.tzinfo)
    )


def draw_time_of_day(
    answer_times: Sequence[time], uniform: float, policy: Policy
) -> time:
    """Return a time of day at which this runner answers after runs.

    So the check-ins are matched with the run answers by the clock; without
    enough of those, any time of the afternoon is as likely as any other.
    """
    if len(answer_times) >= _MIN_ANSWER_TIMES:
        return sorted(answer_times)[int(uniform * len(answer_times))]
    first_minute = _minute_of_day(time.fromisoformat(policy.checkin_from))
    last_minute = _minute_of_day(time.fromisoformat(policy.checkin_until))
    minute = first_minute + int(uniform * (last_minute - first_minute))
    return time(minute // 60, minute % 60)


def choose_focus(at: datetime, preferred_focus: str, zone: ZoneInfo) -> str:
    """Return the check-in's third question; last night is too far from the evening."""
    if preferred_focus == SLEEP_FOCUS and at.astimezone(zone).hour >= _NOON:
        return AFTERNOON_FOCUS
    return preferred_focus


def _find_suppression_reason(
    checkin_day: CheckinDay, send_at: datetime, policy: Policy, *, now: datetime
) -> DrawReason | None:
    if send_at.astimezone(checkin_day.zone).date() != checkin_day.local_day:
        return DrawReason.QUIET_HOURS
    if send_at <= now:
        return DrawReason.TOO_LATE
    if any(
        checkin_day.local_day in {question.local_day, question.run_day}
        for question in checkin_day.recent_questions
    ):
        return DrawReason.ONE_A_DAY
    if any(
        mail.at.astimezone(checkin_day.zone).date() == checkin_day.local_day
        for mail in checkin_day.recent_mails
    ):
        return DrawReason.ONE_A_DAY
    checkin_count = sum(
        mail.kind == MailKind.CHECKIN and abs(mail.at - send_at) < WEEK
        for mail in checkin_day.recent_mails
    )
    if checkin_count >= policy.most_checkins_a_week:
        return DrawReason.ENOUGH_THIS_WEEK
    return None


def _minute_of_day(time_of_day: time) -> int:
    return int(
        timedelta(hours=time_of_day.hour, minutes=time_of_day.minute)
        / timedelta(minutes=1)
    )
