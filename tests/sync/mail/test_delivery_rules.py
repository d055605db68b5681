"""When a mail is tried again, when it ends, and when it is not sent at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.backoff import LEASE
from sync.mail.delivery_rules import (
    DeliveryOutcome,
    PendingMail,
    SmtpStage,
    SurveyState,
    classify_refusal,
    compute_next_attempt,
    suppression_reason,
)
from sync.mail.smtp import TIMEOUT_S
from sync.vocabulary import MailKind

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
OPEN = SurveyState(
    is_answered=False,
    is_skipped=False,
    is_cancelled=False,
    expires_at=NOON + 6 * HOUR,
    sent_at=None,
)
FINE = PendingMail(
    kind=MailKind.SURVEY,
    stale_at=NOON + HOUR,
    has_values=True,
    has_address=True,
    has_bounced=False,
    survey=OPEN,
)


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (FINE, None),
        (replace(FINE, stale_at=NOON), "stale"),
        (replace(FINE, has_values=False), "unreadable"),
        (replace(FINE, has_address=False), "no address"),
        (replace(FINE, has_bounced=True), "bounced before"),
        (
            replace(FINE, has_bounced=True, kind=MailKind.SIGN_IN_LINK, survey=None),
            None,
        ),
        (replace(FINE, survey=replace(OPEN, is_answered=True)), "answered"),
        (replace(FINE, survey=replace(OPEN, is_skipped=True)), "skipped"),
        (replace(FINE, survey=replace(OPEN, is_cancelled=True)), "cancelled"),
        (replace(FINE, survey=replace(OPEN, expires_at=NOON)), "stale"),
        (replace(FINE, kind=MailKind.SURVEY_REMINDER), "survey not sent"),
        (
            replace(
                FINE,
                kind=MailKind.SURVEY_REMINDER,
                survey=replace(OPEN, sent_at=NOON - MINUTE),
            ),
            "survey just sent",
        ),
        (
            replace(
                FINE,
                kind=MailKind.SURVEY_REMINDER,
                survey=replace(OPEN, sent_at=NOON - HOUR),
            ),
            None,
        ),
    ],
)
def test_why_not(mail: PendingMail, reason: str | None) -> None:
    assert suppression_reason(mail, now=NOON) == reason


@pytest.mark.parametrize(
    ("stage", "code", "text", "outcome"),
    [
        (SmtpStage.OPENING, 0, "ConnectionRefusedError", DeliveryOutcome.RETRY),
        (SmtpStage.OPENING, 535, "5.7.8 wrong password", DeliveryOutcome.RETRY),
        (SmtpStage.OPENING, 554, "no service for you", DeliveryOutcome.RETRY),
        (SmtpStage.LINE, 0, "SMTPServerDisconnected", DeliveryOutcome.RETRY),
        (SmtpStage.SENDER, 550, "5.7.1 not your domain", DeliveryOutcome.RETRY),
        (SmtpStage.RECIPIENT, 421, "4.7.0 closing", DeliveryOutcome.RETRY),
        (SmtpStage.RECIPIENT, 450, "4.2.0 greylisted", DeliveryOutcome.RETRY),
        (SmtpStage.RECIPIENT, 550, "no such user", DeliveryOutcome.BOUNCED),
        (SmtpStage.RECIPIENT, 550, "5.1.1 no such user", DeliveryOutcome.BOUNCED),
        (SmtpStage.RECIPIENT, 552, "5.2.2 mailbox full", DeliveryOutcome.BOUNCED),
        (SmtpStage.RECIPIENT, 550, "5.7.1 relaying denied", DeliveryOutcome.REFUSED),
        (SmtpStage.RECIPIENT, 554, "rejected", DeliveryOutcome.REFUSED),
        (SmtpStage.CONTENT, 451, "4.3.0 later", DeliveryOutcome.RETRY),
        (SmtpStage.CONTENT, 550, "5.7.515 not authenticated", DeliveryOutcome.REFUSED),
        (SmtpStage.CONTENT, 554, "looks like spam", DeliveryOutcome.REFUSED),
        (SmtpStage.CONTENT, 550, "5.1.1 no such user", DeliveryOutcome.BOUNCED),
    ],
)
def test_meaning(
    stage: SmtpStage, code: int, text: str, outcome: DeliveryOutcome
) -> None:
    assert classify_refusal(stage, code, text) is outcome


@pytest.mark.parametrize(
    ("attempts", "stale_in", "wait"),
    [
        (1, HOUR, 1 * MINUTE),
        (2, HOUR, 2 * MINUTE),
        (3, HOUR, 4 * MINUTE),
        (4, HOUR, 8 * MINUTE),
        (5, HOUR, 15 * MINUTE),
        (50, HOUR, 15 * MINUTE),
        (5, 4 * MINUTE, 4 * MINUTE),
        (1, -MINUTE, 0 * MINUTE),
    ],
)
def test_next_try(attempts: int, stale_in: timedelta, wait: timedelta) -> None:
    at = compute_next_attempt(attempts, now=NOON, stale_at=NOON + stale_in)

    assert at == NOON + wait


def test_a_mail_ends_one_way_or_another_within_its_lease() -> None:
    steps = ["connect", "EHLO", "STARTTLS", "EHLO", "AUTH", "AUTH", "MAIL", "RCPT"]
    steps += ["DATA", "content", "RSET"]

    assert timedelta(seconds=TIMEOUT_S) * len(steps) < LEASE
