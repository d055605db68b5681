"""Limits on mails with questions, and counts of ignored ones.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sync.mail.kinds import get_mail_spec
from sync.vocabulary import MailKind

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RecentQuestion:
    """A question that was scheduled or sent lately, and its outcome.

    `local_day` is the day on which it was to reach the runner, `run_day` that
    of the run it is about (None for a check-in).
    """

    survey_id: int
    local_day: date
    send_at: datetime
    is_sent: bool
    run_day: date | None = None
    answered_at: datetime | None = None
    is_skipped: bool = False

    @property
    def is_about_run(self) -> bool:
        return self.run_day is not None

    @property
    def closes_day(self) -> bool:
        """Whether the day's question stands, whatever run may follow.

        One about an earlier run that is still unanswered moves behind the
        later run; a check-in that has gone out, or an answered question, stands.
        """
        if not self.is_about_run:
            return self.is_sent
        return self.answered_at is not None or self.is_skipped


@dataclass(frozen=True, slots=True)
class QuestionMail:
    """A mail with a question that has gone out, or is still to go."""

    survey_id: int
    kind: MailKind
    at: datetime
    is_sent: bool

    @property
    def is_about_run(self) -> bool:
        return get_mail_spec(self.kind).asks_about_run


@dataclass(frozen=True, slots=True)
class Response:
    """A question that has gone out, newest first in a list of them."""

    is_answered: bool  # or skipped: a sign of life
    is_expired: bool
    had_reminder: bool


def fits_weekly_limit(
    mails: Sequence[QuestionMail], *, at: datetime, max_mails: int
) -> bool:
    """Whether one more run mail at `at` keeps every seven days within `max_mails`."""
    return (
        sum(mail.is_about_run and abs(mail.at - at) < WEEK for mail in mails)
        < max_mails
    )


def count_ignored_questions(responses: Sequence[Response]) -> int:
    """Count the questions since the last response that expired unanswered."""
    return sum(response.is_expired for response in _get_unanswered_streak(responses))


def count_ignored_reminders(responses: Sequence[Response]) -> int:
    """Count the reminders since the last response that stayed unanswered."""
    return sum(
        response.is_expired and response.had_reminder
        for response in _get_unanswered_streak(responses)
    )


def _get_unanswered_streak(responses: Sequence[Response]) -> list[Response]:
    streak = []
    for response in responses:
        if response.is_answered:
            break
        streak.append(response)
    return streak
