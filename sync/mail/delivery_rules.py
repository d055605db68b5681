"""When a mail is tried again or withheld, and what SMTP answers mean.  Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto

# Longer than any one mail can take, shorter than anyone would wait for it.
LEASE = timedelta(minutes=5)
# Greylisting servers want to see us again after five minutes or so.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15))
# A reminder that lands with the survey that it reminds of is only noise.
LEAST_GAP = timedelta(hours=1)

# Someone is waiting for this one, so an old bounce does not stop it.
_ASKED_FOR_JUST_NOW = "sign_in_link"
# These go out even while a runner's account stands still.
ABOUT_THE_ACCOUNT = {
    "agree_again",
    "confirm_address",
    "deleted",
    "disconnected",
    "export_ready",
    "inactive",
    "sign_in_link",
    "undo",
}
_ABOUT_THE_ADDRESS = {"1", "2"}
_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.\d{1,3}\b")


class Stage(StrEnum):
    """How far the conversation with the server had come."""

    OPENING = auto()
    LINE = auto()
    SENDER = auto()
    RECIPIENT = auto()
    CONTENT = auto()


class Outcome(StrEnum):
    RETRY = auto()
    BOUNCED = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Survey:
    """What has become of the survey that a mail is about."""

    is_answered: bool
    is_skipped: bool
    is_cancelled: bool
    expires_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """A mail about to be sent, and what has happened since it was promised."""

    kind: str
    stale_at: datetime
    has_values: bool
    has_address: bool
    has_bounced: bool
    survey: Survey | None = None


def why_not(mail: Prospect, *, now: datetime) -> str | None:
    """Return why the mail must not go out any more, or None if it may."""
    if mail.stale_at <= now:
        return "stale"
    if not mail.has_values:
        return "unreadable"
    if not mail.has_address:
        return "no address"
    if mail.has_bounced and mail.kind != _ASKED_FOR_JUST_NOW:
        return "bounced before"
    if mail.survey is not None:
        return _survey_is_over(mail.survey, kind=mail.kind, now=now)
    return None


def _survey_is_over(survey: Survey, *, kind: str, now: datetime) -> str | None:
    if survey.is_answered:
        return "answered"
    if survey.is_skipped:
        return "skipped"
    if survey.is_cancelled:
        return "cancelled"
    if survey.expires_at <= now:
        return "stale"
    if kind == "survey_reminder":
        return _reminds_of_nothing(survey.sent_at, now=now)
    return None


def _reminds_of_nothing(sent_at: datetime | None, *, now: datetime) -> str | None:
    if sent_at is None:
        return "survey not sent"
    return "survey just sent" if now - sent_at < LEAST_GAP else None


def meaning(stage: Stage, code: int, text: str) -> Outcome:
    """Return what a server's refusal says about this mail.

    Only a lasting "no" about the recipient is a bounce.  A "no" to our own
    address or a failed sign-in is the host's to mend, so the mail waits; a "no"
    to what the mail says, or by policy (5.7), ends the mail and not the address.
    """
    if stage in {Stage.OPENING, Stage.LINE, Stage.SENDER} or not 500 <= code < 600:
        return Outcome.RETRY
    enhanced = _ENHANCED.match(text)
    if enhanced:
        is_bounce = enhanced[1] in _ABOUT_THE_ADDRESS
    else:
        is_bounce = stage is Stage.RECIPIENT and code in {550, 551, 552, 553}
    return Outcome.BOUNCED if is_bounce else Outcome.REFUSED


def next_try(attempts: int, *, now: datetime, stale_at: datetime) -> datetime:
    """Return when to try again: later each time, and once more to give up."""
    wait = WAITS[min(attempts, len(WAITS)) - 1]
    return max(now, min(now + wait, stale_at))
