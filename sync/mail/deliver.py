"""Sending what the outbox holds: claim, write, hand over, settle."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeAlias

import structlog
from sqlalchemy.orm import Session

from sync import account_state
from sync.crypto import KeyLost
from sync.errors import MoodmilesError
from sync.language import activate_language
from sync.mail import quiet_hours, store
from sync.mail.delivery_rules import (
    LEASE,
    DeliveryOutcome,
    PendingMail,
    SmtpStage,
    classify_refusal,
    compute_next_attempt,
    suppression_reason,
)
from sync.mail.envelope import build_email, parse_host
from sync.mail.kinds import get_mail_spec
from sync.mail.message import FooterContact, InvalidMail, RenderContext
from sync.mail.rendering import render_mail
from sync.mail.smtp import TIMEOUT_S, DeliveryFailed, SmtpConnection, SmtpServer
from sync.models import Mail, Runner
from sync.queue import Job
from sync.runtime import Runtime
from sync.time_zones import get_zone
from sync.vocabulary import SuppressionReason

log = structlog.get_logger()

# What holds a mail up for the runner's sake may end at any time.
_RECHECK_AFTER = timedelta(minutes=10)
# A worker gives its slot back after this long and has itself woken again.
_MAX_BATCH_S = 30.0


@dataclass(frozen=True, slots=True)
class _ClaimedMail:
    """A mail that is ours until the lease ends; without `to` it was withheld.

    `is_own`: the address is the runner's own, not one given for this mail alone.
    """

    mail: Mail
    recipient: str | None = None
    values: dict[str, Any] | None = None
    is_own_address: bool = True
    language: str = ""


# Whom a runner's mail names in its foot, by the mail's and the runner's number.
ContactFinder: TypeAlias = Callable[[Runtime, int, int], Sequence[FooterContact]]


def find_no_contacts(
    _runtime: Runtime, _mail_id: int, _runner_id: int
) -> Sequence[FooterContact]:
    return ()


def deliver_due(
    runtime: Runtime,
    *,
    timeout_s: float = TIMEOUT_S,
    find_contacts: ContactFinder = find_no_contacts,
) -> int:
    """Send every mail that is due over one connection; return how many left.

    `people_for` is asked, in the mail's language, whom a mail about running or
    moods should name in its foot: mail itself knows nothing of answers.

    No transaction is open while the server thinks.  A mail is sent twice only
    if the server took it and we died before saying so, and then under the same
    Message-ID.
    """
    runtime.queue.mark_started(Job.OUTBOX)
    sent_count = 0
    ends_at = monotonic() + _MAX_BATCH_S
    with _open_connection(runtime, timeout_s=timeout_s) as connection:
        while (claimed := _claim_next(runtime)) is not None:
            if claimed.recipient is not None:
                try:
                    _send_mail(
                        runtime, connection, claimed, find_contacts=find_contacts
                    )
                    sent_count += 1
                except InvalidMail:
                    _suppress(runtime, claimed, SuppressionReason.UNREADABLE)
                except DeliveryFailed as failure:
                    _settle_failure(runtime, claimed, failure)
                    if failure.stage is SmtpStage.OPENING:
                        break
            if monotonic() > ends_at:
                runtime.queue.wake(Job.OUTBOX)
                break
    return sent_count


def _open_connection(runtime: Runtime, *, timeout_s: float) -> SmtpConnection:
    server = SmtpServer.from_url(runtime.settings.require_secret("smtp_url"))
    return SmtpConnection(
        server, sender=runtime.settings.mail_from, timeout_s=timeout_s
    )


def _claim_next(runtime: Runtime) -> _ClaimedMail | None:
    """Take the next due mail; one that must not go out is withheld right here."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        mail = store.claim_next(session, now=now, until=now + LEASE)
        if mail is None:
            return None
        if "@" not in mail.message_id:
            host = parse_host(runtime.settings.mail_from)
            mail.message_id = f"<{mail.message_id}@{host}>"
        claimed, pending_mail = _open_mail(runtime, session, mail)
        reason = suppression_reason(pending_mail, now=now)
        if reason is None:
            deliver_at = _compute_delivery_time(session, mail, now=now)
            if deliver_at <= now:
                return claimed
            store.postpone(session, mail, until=deliver_at)
            return _ClaimedMail(mail)
        store.suppress(session, mail, reason)
    log.info("mail withheld", mail_id=mail.id, kind=mail.kind, reason=reason)
    return _ClaimedMail(mail)


def _compute_delivery_time(session: Session, mail: Mail, *, now: datetime) -> datetime:
    """Return when the mail may arrive: not at night, nor while nothing may be sent."""
    runner = session.get(Runner, mail.runner_id) if mail.runner_id else None
    spec = get_mail_spec(mail.kind)
    if runner is None or spec.is_about_account:
        return now
    if runner.erase_at is not None and runner.erase_at > now:
        return runner.erase_at
    if not account_state.may_collect_now(session, runner.id):
        return now + _RECHECK_AFTER
    if not spec.respects_quiet_hours:
        return now
    hours = runner.preferences.quiet_hours
    zone = get_zone(runner.zone)
    return quiet_hours.defer_past_quiet_hours(now, hours, zone)


def _open_mail(
    runtime: Runtime, session: Session, mail: Mail
) -> tuple[_ClaimedMail, PendingMail]:
    """Open what the row holds, and see what has happened since it was written."""
    runner = session.get(Runner, mail.runner_id) if mail.runner_id else None
    survey = (
        store.load_survey_state(session, mail.survey_id) if mail.survey_id else None
    )
    recipient, values, is_own_address, has_bounced = None, None, True, False
    language = "" if runner is None else runner.preferences.language
    try:
        if mail.sealed is not None:
            content = json.loads(runtime.sealer.open(mail.sealed))
            recipient, values = content["to"], content["values"]
            language = language or content.get("language", "")
        is_own_address = recipient is None
        if is_own_address and runner is not None:
            has_bounced = runner.email_bounced_at is not None
            if runner.email is not None and runner.email_confirmed_at is not None:
                recipient = runtime.sealer.open(runner.email)
    except KeyLost:
        values = None
    pending_mail = PendingMail(
        kind=mail.kind,
        stale_at=mail.stale_at,
        has_values=values is not None,
        has_address=recipient is not None,
        has_bounced=has_bounced,
        survey=survey,
    )
    return _ClaimedMail(mail, recipient, values, is_own_address, language), pending_mail


def _send_mail(
    runtime: Runtime,
    connection: SmtpConnection,
    claimed: _ClaimedMail,
    *,
    find_contacts: ContactFinder,
) -> None:
    """Write one mail, hand it over, and record at once that it is out."""
    mail, recipient = claimed.mail, claimed.recipient or ""
    now = runtime.now()
    context = RenderContext(
        runtime.settings.public_url,
        now=now,
        stale_at=mail.stale_at,
        language=claimed.language,
        contacts=_load_contacts(runtime, claimed, find_contacts),
    )
    email = build_email(
        render_mail(mail.kind, claimed.values or {}, context),
        kind=mail.kind,
        sender=runtime.settings.mail_from,
        recipient=recipient,
        message_id=mail.message_id,
        sent_at=now,
    )
    connection.send(email, recipient=recipient)
    with runtime.db.transaction() as session:
        store.mark_sent(session, mail, now=runtime.db.now(session))
    log.info("mail sent", mail_id=mail.id, kind=mail.kind, attempts=mail.attempts)


def _load_contacts(
    runtime: Runtime, claimed: _ClaimedMail, find_contacts: ContactFinder
) -> Sequence[FooterContact]:
    mail = claimed.mail
    may_name_contacts = get_mail_spec(mail.kind).may_name_contacts
    if mail.runner_id is None or not may_name_contacts:
        return ()
    try:
        with activate_language(claimed.language):
            return find_contacts(runtime, mail.id, mail.runner_id)
    except MoodmilesError as error:  # a mail must not be lost over its foot
        log.warning("nobody named", mail_id=mail.id, error=type(error).__name__)
        return ()


def _settle_failure(
    runtime: Runtime, claimed: _ClaimedMail, failure: DeliveryFailed
) -> None:
    """Record what the server's refusal means for this mail and its address."""
    mail = claimed.mail
    outcome = classify_refusal(failure.stage, failure.code, failure.text)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        match outcome:
            case DeliveryOutcome.RETRY:
                retry_at = compute_next_attempt(
                    mail.attempts, now=now, stale_at=mail.stale_at
                )
                store.postpone(session, mail, until=retry_at)
            case DeliveryOutcome.BOUNCED:
                store.suppress(session, mail, SuppressionReason.BOUNCED)
                is_own_address = claimed.is_own_address
                store.mark_bounced(
                    session, mail.runner_id, is_own_address=is_own_address, now=now
                )
            case DeliveryOutcome.REFUSED:
                store.suppress(session, mail, SuppressionReason.REFUSED)
    # The server's words may hold an address, so the log has only the code.
    log.warning(
        "mail not taken",
        mail_id=mail.id,
        kind=mail.kind,
        stage=failure.stage,
        code=failure.code,
        outcome=outcome,
        attempts=mail.attempts,
    )


def _suppress(
    runtime: Runtime, claimed: _ClaimedMail, reason: SuppressionReason
) -> None:
    with runtime.db.transaction() as session:
        store.suppress(session, claimed.mail, reason)
    log.error("mail withheld", mail_id=claimed.mail.id, reason=reason)
