"""How much mail is enough, and what silence means.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sync.surveys.policy.parameters import Policy

WEEK = timedelta(days=7)
RUN_MAILS = {"survey", "survey_reminder"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was promised or put lately, and what became of it.

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
    def is_run(self) -> bool:
        return self.run_day is not None

    @property
    def settles_the_day(self) -> bool:
        """Whether the day's question stands, whatever run may follow.

        One about an earlier run that is still unanswered moves behind the
        later run; a check-in that has gone out, or an answered question, stands.
        """
        if not self.is_run:
            return self.is_sent
        return self.answered_at is not None or self.is_skipped


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail with a question that has gone out, or is still to go."""

    survey_id: int
    kind: str
    at: datetime
    is_sent: bool


@dataclass(frozen=True, slots=True)
class Silence:
    """A question that has gone out, newest first in a list of them."""

    is_answered: bool  # or skipped: a sign of life
    is_over: bool
    is_reminded: bool


def room_this_week(mailed: Sequence[Mailed], *, at: datetime, most: int) -> bool:
    """Whether one more run mail at `at` keeps every seven days within `most`."""
    return sum(m.kind in RUN_MAILS and m.at > at - WEEK for m in mailed) < most


def reminder_at(ended_at: datetime, at: datetime, policy: Policy) -> datetime | None:
    """Return when a mail sent at `at` may be followed by its one reminder."""
    remind_at = at + timedelta(hours=policy.reminder_after_h)
    latest = ended_at + timedelta(hours=policy.reminder_until_h)
    return remind_at if remind_at <= latest else None


def ignored_in_a_row(questions: Sequence[Silence]) -> int:
    """Count the questions since the last sign of life that ran out unanswered."""
    return sum(question.is_over for question in _since_a_sign_of_life(questions))


def reminders_ignored(questions: Sequence[Silence]) -> int:
    """Count the reminders since the last sign of life that did not help."""
    return sum(
        question.is_over and question.is_reminded
        for question in _since_a_sign_of_life(questions)
    )


def _since_a_sign_of_life(questions: Sequence[Silence]) -> list[Silence]:
    silent = []
    for question in questions:
        if question.is_answered:
            break
        silent.append(question)
    return silent
