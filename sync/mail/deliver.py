"""Sending what the outbox holds: claim, write, hand over, settle."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import structlog
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import account_state, counters, work
from sync.backoff import LEASE, MAX_ATTEMPTS, SET_ASIDE_INTERVAL
from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost
from sync.errors import MoodmilesError
from sync.language import activate_language
from sync.mail import quiet_hours, store
from sync.mail.delivery_rules import (
    DeliveryOutcome,
    PendingMail,
    SmtpStage,
    classify_refusal,
    compute_next_attempt,
    suppression_reason,
)
from sync.mail.envelope import build_email
from sync.mail.kinds import get_mail_spec
from sync.mail.message import FooterContact, InvalidMail, RenderContext
from sync.mail.rendering import render_mail
from sync.mail.smtp import TIMEOUT_S, DeliveryFailed, SmtpConnection, SmtpServer
from sync.mail.store import ClaimedMail
from sync.models import Mail, Runner
from sync.queue import Job
from sync.runtime import Runtime
from sync.time_zones import get_zone
from sync.vocabulary import (
    SealedColumn,
    SuppressionReason,
    require_known,
)
from sync.work import DueWork, Failure, Retry

log = structlog.get_logger()

# Before the name of what kept a server from taking a mail, in the name of a counter.
MAIL_COUNTER = "mail: "
# What holds a mail up for the runner's sake may end at any time.
_RECHECK_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _OpenedMail:
    """What a mail's row holds, opened; None where there is no address or no values.

    `is_own_address`: the address is the runner's own, not one given for this mail.
    """

    mail: Mail
    recipient: str | None = None
    values: Mapping[str, Any] | None = None
    is_own_address: bool = True
    language: str = ""


# Whom a runner's mail names in its foot, by the mail's and the runner's number.
ContactFinder: TypeAlias = Callable[[Runtime, int, int], Sequence[FooterContact]]


def find_no_contacts(
    _runtime: Runtime, _mail_id: int, _runner_id: int
) -> Sequence[FooterContact]:
    return ()


class OutboxWork(DueWork[ClaimedMail]):
    """Due mails, over one connection; no transaction is open while the server thinks.

    A mail is sent twice only if the server took it and we died before recording it,
    and then under the same Message-ID.
    """

    job = Job.OUTBOX

    def __init__(
        self, connection: SmtpConnection, find_contacts: ContactFinder
    ) -> None:
        self.sent_count = 0
        self._connection = connection
        self._find_contacts = find_contacts
        self._is_server_away = False

    @override
    def claim(self, runtime: Runtime) -> Iterator[ClaimedMail]:
        while not self._is_server_away:
            with runtime.db.transaction() as session:
                now = runtime.db.now(session)
                claimed = store.claim_next(session, now=now, until=now + LEASE)
            if claimed is None:
                return
            yield claimed

    @override
    def handle(self, runtime: Runtime, item: ClaimedMail) -> None:
        opened = _open_deliverable(runtime, item)
        if opened is None or opened.recipient is None:
            return
        mail = opened.mail
        now = runtime.now()
        context = RenderContext(
            runtime.settings.public_url,
            now=now,
            stale_at=mail.stale_at,
            language=opened.language,
            contacts=self._load_contacts(runtime, mail, opened.language),
        )
        email = build_email(
            render_mail(mail.kind, opened.values or {}, context),
            kind=mail.kind,
            sender=runtime.settings.sender,
            recipient=opened.recipient,
            message_id=mail.message_id,
            sent_at=now,
        )
        try:
            self._connection.send(email, recipient=opened.recipient)
        except DeliveryFailed as failure:
            if _classify(failure) is DeliveryOutcome.BOUNCED:
                _save_bounce(runtime, mail, is_own_address=opened.is_own_address)
            raise
        _save_sent(runtime, mail)
        self.sent_count += 1
        log.info("mail sent", mail_id=mail.id, kind=mail.kind, attempts=item.attempts)

    @override
    def postpone(self, session: Session, item: ClaimedMail, failure: Failure) -> Retry:
        outcome = DeliveryOutcome.RETRY
        details: dict[str, object] = {}
        if isinstance(failure.error, DeliveryFailed):
            refusal = failure.error
            outcome = _classify(refusal)
            self._is_server_away = refusal.stage is SmtpStage.OPENING
            counters.increment(session, MAIL_COUNTER + refusal.fault, at=failure.at)
            # The server's words may hold an address: the log has only the code.
            details = {
                "stage": refusal.stage,
                "fault": refusal.fault,
                "code": refusal.code,
                "outcome": outcome,
            }
        elif isinstance(failure.error, InvalidMail) or item.attempts >= MAX_ATTEMPTS:
            return _set_aside(session, item, failure)
        match outcome:
            case DeliveryOutcome.RETRY:
                retry_at = compute_next_attempt(
                    item.attempts,
                    now=failure.at,
                    stale_at=item.stale_at,
                )
                store.postpone(session, item, until=retry_at)
                return Retry(retry_at, details=details)
            case DeliveryOutcome.BOUNCED:
                store.suppress(session, item, SuppressionReason.BOUNCED)
            case DeliveryOutcome.REFUSED:
                store.suppress(session, item, SuppressionReason.REFUSED)
        return Retry(None, details=details)

    @override
    def attempts(self, item: ClaimedMail) -> int:
        return item.attempts

    @override
    def log_ids(self, item: ClaimedMail) -> Mapping[str, object]:
        kind = {} if item.kind is None else {"kind": item.kind}
        return {"mail_id": item.id, **kind}

    def _load_contacts(
        self, runtime: Runtime, mail: Mail, language: str
    ) -> Sequence[FooterContact]:
        may_name_contacts = get_mail_spec(mail.kind).may_name_contacts
        if mail.runner_id is None or not may_name_contacts:
            return ()
        try:
            with activate_language(language):
                return self._find_contacts(runtime, mail.id, mail.runner_id)
        except MoodmilesError as error:  # a mail must not be lost over its foot
            log.warning(
                "no contacts named", mail_id=mail.id, error=type(error).__name__
            )
            return ()


def deliver_due(
    runtime: Runtime,
    *,
    timeout_s: float = TIMEOUT_S,
    find_contacts: ContactFinder = find_no_contacts,
) -> int:
    """Send every mail that is due over one connection; return how many left.

    `find_contacts` returns, in the mail's language, whom a mail about running or
    moods names in its foot: mail itself knows nothing of answers.
    """
    server = SmtpServer.from_url(runtime.settings.require_secret("smtp_url"))
    with SmtpConnection(
        server, sender=runtime.settings.sender, timeout_s=timeout_s
    ) as connection:
        outbox_work = OutboxWork(connection, find_contacts)
        work.process_due(runtime, outbox_work)
    return outbox_work.sent_count


@retry_conflicts
def _save_sent(runtime: Runtime, mail: Mail) -> None:
    with runtime.db.transaction() as session:
        store.mark_sent(session, mail, now=runtime.db.now(session))
        _forget_failure(session, mail.runner_id)


@retry_conflicts
def _save_bounce(runtime: Runtime, mail: Mail, *, is_own_address: bool) -> None:
    with runtime.db.transaction() as session:
        store.mark_bounced(
            session,
            mail.runner_id,
            is_own_address=is_own_address,
            now=runtime.db.now(session),
        )


def _set_aside(session: Session, item: ClaimedMail, failure: Failure) -> Retry:
    """Show the host a mail that fails; until it is stale it is tried once a day."""
    if item.stale_at is not None and item.stale_at <= failure.at:
        store.suppress(session, item, SuppressionReason.UNREADABLE)
        _forget_failure(session, item.runner_id)
        return Retry(None, is_given_up=True)
    due_at = failure.at + SET_ASIDE_INTERVAL
    due_at = due_at if item.stale_at is None else min(due_at, item.stale_at)
    store.set_aside(session, item, until=due_at)
    if item.runner_id is not None:
        work.set_aside(
            session, Job.OUTBOX, item.runner_id, reason=failure.reason, due_at=due_at
        )
    return Retry(due_at, is_given_up=True)


def _forget_failure(session: Session, runner_id: int | None) -> None:
    """Tell the host no more of a runner none of whose mails is set aside now."""
    if runner_id is not None:
        work.forget_failure(
            session, Job.OUTBOX, runner_id, ~store.has_set_aside(runner_id)
        )


def _classify(failure: DeliveryFailed) -> DeliveryOutcome:
    return classify_refusal(failure.stage, failure.code, failure.text)


@retry_conflicts
def _open_deliverable(runtime: Runtime, claimed: ClaimedMail) -> _OpenedMail | None:
    """Open a mail that may go out now; any other is suppressed or postponed."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        mail = store.load_claimed(session, claimed)
        if mail is None:
            return None
        claimed.stale_at = mail.stale_at
        require_known(mail.kind)
        claimed.kind = mail.kind
        if "@" not in mail.message_id:
            mail.message_id = f"<{mail.message_id}@{runtime.settings.sender.host}>"
        runner = session.get(Runner, mail.runner_id) if mail.runner_id else None
        opened = _open_mail(runtime, mail, runner)
        pending_mail = PendingMail(
            kind=mail.kind,
            stale_at=mail.stale_at,
            has_values=opened.values is not None,
            has_address=opened.recipient is not None,
            has_bounced=opened.is_own_address
            and runner is not None
            and runner.email_bounced_at is not None,
            survey=store.load_survey_state(session, mail) if mail.survey_id else None,
        )
        reason = suppression_reason(pending_mail, now=now)
        if reason is None:
            deliver_at = _compute_delivery_time(session, mail, runner, now=now)
            if deliver_at <= now:
                return opened
            store.postpone(session, claimed, until=deliver_at)
            return None
        store.suppress(session, claimed, reason)
        _forget_failure(session, mail.runner_id)
    log.info("mail withheld", mail_id=mail.id, kind=mail.kind, reason=reason)
    return None


def _open_mail(runtime: Runtime, mail: Mail, runner: Runner | None) -> _OpenedMail:
    """Unseal a mail and its address, as far as our keys still open them."""
    language = "" if runner is None else runner.preferences.language
    recipient: str | None = None
    values: Mapping[str, Any] | None = None
    is_own_address = True
    try:
        if mail.sealed is not None:
            content = json.loads(runtime.sealer.open(mail.sealed, SealedColumn.MAIL))
            recipient, values = content["to"], content["values"]
            language = language or content.get("language", "")
            is_own_address = recipient is None
        if (
            is_own_address
            and runner is not None
            and runner.email is not None
            and runner.email_confirmed_at is not None
        ):
            recipient = runtime.sealer.open(runner.email, SealedColumn.ADDRESS)
    except KeyLost:
        values = None
    return _OpenedMail(mail, recipient, values, is_own_address, language)


def _compute_delivery_time(
    session: Session, mail: Mail, runner: Runner | None, *, now: datetime
) -> datetime:
    """Return when the mail may arrive: not at night, nor while nothing may be sent."""
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
