"""When a mail is tried again or withheld, and what SMTP answers mean.  Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto

from sync.backoff import backoff
from sync.mail.kinds import get_mail_spec
from sync.vocabulary import MailFault, MailKind, SuppressionReason

# Greylisting servers want to see us again after five minutes or so.
_MAX_WAIT = timedelta(minutes=15)
# A reminder that lands with the survey that it reminds of is only noise.
MIN_REMINDER_GAP = timedelta(hours=1)

_ADDRESS_STATUS_SUBJECTS = {"1", "2"}
# RFC 3463: class, subject, detail.
_ENHANCED_STATUS = re.compile(r"\s*[45]\.(\d{1,3})\.(\d{1,3})\b")
_FAULTS_BY_STATUS = {
    "2.2": MailFault.MAILBOX_FULL,
    "2.3": MailFault.TOO_LARGE,
    "3.4": MailFault.TOO_LARGE,
    "4.5": MailFault.QUOTA_USED_UP,
}
_FAULTS_BY_CODE = {530: MailFault.SIGN_IN_REQUIRED}
_TOO_MUCH_TO_STORE = 552
# The host's to mend, whatever the code: the mail waits.
_FAULTS_OF_THE_HOST = {MailFault.QUOTA_USED_UP, MailFault.SIGN_IN_REQUIRED}


class SmtpStage(StrEnum):
    """How far the conversation with the server had come."""

    OPENING = auto()
    LINE = auto()
    SENDER = auto()
    RECIPIENT = auto()
    CONTENT = auto()


_REFUSALS = {
    SmtpStage.OPENING: MailFault.SERVICE_REFUSED,
    SmtpStage.LINE: MailFault.SERVICE_REFUSED,
    SmtpStage.SENDER: MailFault.SENDER_REFUSED,
    SmtpStage.RECIPIENT: MailFault.CONTENT_REFUSED,
    SmtpStage.CONTENT: MailFault.CONTENT_REFUSED,
}


class DeliveryOutcome(StrEnum):
    RETRY = auto()
    BOUNCED = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class SurveyState:
    """What has become of the survey that a mail is about."""

    is_answered: bool
    is_skipped: bool
    is_cancelled: bool
    expires_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class PendingMail:
    """A mail about to be sent, and what has happened since it was promised."""

    kind: MailKind
    stale_at: datetime
    has_values: bool
    has_address: bool
    has_bounced: bool
    survey: SurveyState | None = None


def suppression_reason(mail: PendingMail, *, now: datetime) -> SuppressionReason | None:
    """Return why the mail must not go out any more, or None if it may."""
    if mail.stale_at <= now:
        return SuppressionReason.STALE
    if not mail.has_values:
        return SuppressionReason.UNREADABLE
    if not mail.has_address:
        return SuppressionReason.NO_ADDRESS
    if mail.has_bounced and not get_mail_spec(mail.kind).ignores_bounce:
        return SuppressionReason.BOUNCED_BEFORE
    if mail.survey is not None:
        return survey_suppression_reason(mail.survey, kind=mail.kind, now=now)
    return None


def survey_suppression_reason(
    survey: SurveyState, *, kind: MailKind, now: datetime
) -> SuppressionReason | None:
    """Return why a mail about this survey must not go out, or None if it may."""
    if survey.is_answered:
        return SuppressionReason.ANSWERED
    if survey.is_skipped:
        return SuppressionReason.SKIPPED
    if survey.is_cancelled:
        return SuppressionReason.CANCELLED
    if survey.expires_at <= now:
        return SuppressionReason.STALE
    if get_mail_spec(kind).is_reminder:
        return reminder_suppression_reason(survey.sent_at, now=now)
    return None


def reminder_suppression_reason(
    sent_at: datetime | None, *, now: datetime
) -> SuppressionReason | None:
    """Return why a reminder of a survey sent then must not go out, or None."""
    if sent_at is None:
        return SuppressionReason.SURVEY_NOT_SENT
    is_too_soon = now - sent_at < MIN_REMINDER_GAP
    return SuppressionReason.SURVEY_JUST_SENT if is_too_soon else None


def classify_refusal(stage: SmtpStage, code: int, text: str) -> DeliveryOutcome:
    """Return what a server's refusal says about this mail.

    Only a lasting "no" about the recipient is a bounce.  A "no" to our own
    address or a failed sign-in is the host's to mend, so the mail waits; a "no"
    to what the mail says, or by policy (5.7), ends the mail and not the address.
    """
    fault = name_refusal(stage, code, text)
    is_about_us = stage in {SmtpStage.OPENING, SmtpStage.LINE, SmtpStage.SENDER}
    # Many servers refuse a mail's size as soon as its sender is named.
    is_about_mail = stage is SmtpStage.SENDER and fault is MailFault.TOO_LARGE
    if (
        (is_about_us and not is_about_mail)
        or fault in _FAULTS_OF_THE_HOST
        or not 500 <= code < 600
    ):
        return DeliveryOutcome.RETRY
    status_match = _ENHANCED_STATUS.match(text)
    if status_match:
        is_bounce = status_match[1] in _ADDRESS_STATUS_SUBJECTS
    else:
        is_bounce = stage is SmtpStage.RECIPIENT and code in {550, 551, 552, 553}
    return DeliveryOutcome.BOUNCED if is_bounce else DeliveryOutcome.REFUSED


def name_refusal(stage: SmtpStage, code: int, text: str) -> MailFault:
    """Return what a server means by a refusal, from its code and its words."""
    status_match = _ENHANCED_STATUS.match(text)
    status = f"{status_match[1]}.{status_match[2]}" if status_match else ""
    fault = _FAULTS_BY_CODE.get(code) or _FAULTS_BY_STATUS.get(status)
    if fault is not None:
        return fault
    if code == _TOO_MUCH_TO_STORE and not status:
        is_mailbox = stage is SmtpStage.RECIPIENT
        return MailFault.MAILBOX_FULL if is_mailbox else MailFault.TOO_LARGE
    if not 500 <= code < 600:
        return MailFault.BUSY if 400 <= code < 500 else MailFault.NOT_FORESEEN
    is_about_address = not status or status[0] in _ADDRESS_STATUS_SUBJECTS
    if stage is SmtpStage.RECIPIENT and is_about_address:
        return MailFault.RECIPIENT_UNKNOWN
    return _REFUSALS[stage]


def compute_next_attempt(
    attempts: int, *, now: datetime, stale_at: datetime | None
) -> datetime:
    """Return when to try again: later each time, and once more to give up.

    It may not be known when the mail is stale, as its row could not be read.
    """
    retry_at = now + min(backoff(attempts), _MAX_WAIT)
    return retry_at if stale_at is None else max(now, min(retry_at, stale_at))
