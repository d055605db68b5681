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
from sync.language import speaking
from sync.mail import quiet_hours, store
from sync.mail.delivery_rules import (
    ABOUT_THE_ACCOUNT,
    LEASE,
    Outcome,
    Prospect,
    Stage,
    meaning,
    next_try,
    why_not,
)
from sync.mail.envelope import host_of, seal_up
from sync.mail.message import Person
from sync.mail.messages import Sending, UnknownMail, render
from sync.mail.quiet_hours import KEEPS_QUIET
from sync.mail.smtp import TIMEOUT_S, Server, SmtpLine, Undelivered
from sync.models import Mail, Runner
from sync.queue import Work
from sync.runtime import Runtime

log = structlog.get_logger()

# What holds a mail up for the runner's sake may end at any time.
_LOOK_AGAIN = timedelta(minutes=10)
# A worker gives its slot back after this long and has itself woken again.
_LONGEST_BATCH_S = 30.0


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A mail that is ours until the lease ends; without `to` it was withheld.

    `is_own`: the address is the runner's own, not one given for this mail alone.
    """

    mail: Mail
    to: str | None = None
    values: dict[str, Any] | None = None
    is_own: bool = True
    language: str = ""


# Whom a runner's mail names in its foot, by the mail's and the runner's number.
PeopleFor: TypeAlias = Callable[[Runtime, int, int], Sequence[Person]]


def nobody(_runtime: Runtime, _mail_id: int, _runner_id: int) -> Sequence[Person]:
    return ()


def deliver_due(
    runtime: Runtime, *, timeout_s: float = TIMEOUT_S, people_for: PeopleFor = nobody
) -> int:
    """Send every mail that is due over one connection; return how many left.

    `people_for` is asked, in the mail's language, whom a mail about running or
    moods should name in its foot: mail itself knows nothing of answers.

    No transaction is open while the server thinks.  A mail is sent twice only
    if the server took it and we died before saying so, and then under the same
    Message-ID.
    """
    runtime.queue.woken(Work.OUTBOX)
    sent = 0
    end = monotonic() + _LONGEST_BATCH_S
    with _line(runtime, timeout_s=timeout_s) as line:
        while (claimed := _claim(runtime)) is not None:
            if claimed.to is not None:
                try:
                    _send(runtime, line, claimed, people_for=people_for)
                    sent += 1
                except UnknownMail:
                    _withhold(runtime, claimed, "unreadable")
                except Undelivered as trouble:
                    _settle(runtime, claimed, trouble)
                    if trouble.stage is Stage.OPENING:
                        break
            if monotonic() > end:
                runtime.queue.wake(Work.OUTBOX)
                break
    return sent


def _line(runtime: Runtime, *, timeout_s: float) -> SmtpLine:
    server = Server.from_url(runtime.settings.secret("smtp_url"))
    return SmtpLine(server, sender=runtime.settings.mail_from, timeout_s=timeout_s)


def _claim(runtime: Runtime) -> _Claimed | None:
    """Take the next due mail; one that must not go out is withheld right here."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        mail = store.claim(session, now=now, until=now + LEASE)
        if mail is None:
            return None
        if "@" not in mail.message_id:
            host = host_of(runtime.settings.mail_from)
            mail.message_id = f"<{mail.message_id}@{host}>"
        claimed, prospect = _open(runtime, session, mail)
        reason = why_not(prospect, now=now)
        if reason is None:
            awake = _awake(session, mail, now=now)
            if awake <= now:
                return claimed
            store.put_off(session, mail, until=awake)
            return _Claimed(mail)
        store.withhold(session, mail, reason)
    log.info("mail withheld", mail_id=mail.id, kind=mail.kind, reason=reason)
    return _Claimed(mail)


def _awake(session: Session, mail: Mail, *, now: datetime) -> datetime:
    """Return when the mail may arrive: not at night, nor while nothing may be sent."""
    runner = session.get(Runner, mail.runner_id) if mail.runner_id else None
    if runner is None or mail.kind in ABOUT_THE_ACCOUNT:
        return now
    if runner.erase_at is not None and runner.erase_at > now:
        return runner.erase_at
    if not account_state.may_collect_now(session, runner.id):
        return now + _LOOK_AGAIN
    if mail.kind not in KEEPS_QUIET:
        return now
    hours = quiet_hours.chosen(runner.preferences)
    return quiet_hours.after_quiet_hours(now, hours, quiet_hours.zone_of(runner.zone))


def _open(runtime: Runtime, session: Session, mail: Mail) -> tuple[_Claimed, Prospect]:
    """Open what the row holds, and see what has happened since it was written."""
    runner = session.get(Runner, mail.runner_id) if mail.runner_id else None
    survey = store.survey_state(session, mail.survey_id) if mail.survey_id else None
    to, values, is_own, has_bounced = None, None, True, False
    language = "" if runner is None else str(runner.preferences.get("language", ""))
    try:
        if mail.sealed is not None:
            content = json.loads(runtime.sealer.open(mail.sealed))
            to, values = content["to"], content["values"]
            language = language or content.get("language", "")
        is_own = to is None
        if is_own and runner is not None:
            has_bounced = runner.email_bounced_at is not None
            if runner.email is not None and runner.email_confirmed_at is not None:
                to = runtime.sealer.open(runner.email)
    except KeyLost:
        values = None
    prospect = Prospect(
        kind=mail.kind,
        stale_at=mail.stale_at,
        has_values=values is not None,
        has_address=to is not None,
        has_bounced=has_bounced,
        survey=survey,
    )
    return _Claimed(mail, to, values, is_own, language), prospect


def _send(
    runtime: Runtime, line: SmtpLine, claimed: _Claimed, *, people_for: PeopleFor
) -> None:
    """Write one mail, hand it over, and record at once that it is out."""
    mail, to = claimed.mail, claimed.to or ""
    now = runtime.now()
    sending = Sending(
        runtime.settings.public_url,
        now=now,
        stale_at=mail.stale_at,
        language=claimed.language,
        people=_people(runtime, claimed, people_for),
    )
    letter = seal_up(
        render(mail.kind, claimed.values or {}, sending),
        kind=mail.kind,
        sender=runtime.settings.mail_from,
        recipient=to,
        message_id=mail.message_id,
        sent_at=now,
    )
    line.send(letter, recipient=to)
    with runtime.db.transaction() as session:
        store.mark_sent(session, mail, now=runtime.db.now(session))
    log.info("mail sent", mail_id=mail.id, kind=mail.kind, attempts=mail.attempts)


def _people(
    runtime: Runtime, claimed: _Claimed, people_for: PeopleFor
) -> Sequence[Person]:
    mail = claimed.mail
    if mail.runner_id is None or mail.kind not in KEEPS_QUIET:
        return ()
    try:
        with speaking(claimed.language):
            return people_for(runtime, mail.id, mail.runner_id)
    except MoodmilesError as error:  # a mail must not be lost over its foot
        log.warning("nobody named", mail_id=mail.id, error=type(error).__name__)
        return ()


def _settle(runtime: Runtime, claimed: _Claimed, trouble: Undelivered) -> None:
    """Record what the server's refusal means for this mail and its address."""
    mail = claimed.mail
    outcome = meaning(trouble.stage, trouble.code, trouble.text)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        match outcome:
            case Outcome.RETRY:
                until = next_try(mail.attempts, now=now, stale_at=mail.stale_at)
                store.put_off(session, mail, until=until)
            case Outcome.BOUNCED:
                store.withhold(session, mail, "bounced")
                is_own = claimed.is_own
                store.mark_bounced(session, mail.runner_id, is_own=is_own, now=now)
            case Outcome.REFUSED:
                store.withhold(session, mail, "refused")
    # The server's words may hold an address, so the log has only the code.
    log.warning(
        "mail not taken",
        mail_id=mail.id,
        kind=mail.kind,
        stage=trouble.stage,
        code=trouble.code,
        outcome=outcome,
        attempts=mail.attempts,
    )


def _withhold(runtime: Runtime, claimed: _Claimed, reason: str) -> None:
    with runtime.db.transaction() as session:
        store.withhold(session, claimed.mail, reason)
    log.error("mail withheld", mail_id=claimed.mail.id, reason=reason)
