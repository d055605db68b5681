"""The outbox in SQL: taking a due mail, and settling what became of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Update, and_, exists, or_, select, true, update
from sqlalchemy.orm import Session

from sync.backoff import MAX_ATTEMPTS
from sync.database import count_up
from sync.mail.delivery_rules import SurveyState
from sync.mail.kinds import get_mail_spec
from sync.models import Answer, Decision, Mail, Runner, Survey
from sync.vocabulary import DecisionVerdict, MailKind, SuppressionReason


@dataclass(slots=True)
class ClaimedMail:
    """A mail that is leased `until` then, and the attempt's number.

    What it is for, and when it is stale, is there once its row has been read.
    """

    id: int
    runner_id: int | None
    attempts: int
    until: datetime
    kind: MailKind | None = None
    stale_at: datetime | None = None


def claim_next(
    session: Session, *, now: datetime, until: datetime
) -> ClaimedMail | None:
    """Lease the mail that has been due longest until `until`; count the attempt."""
    next_id = session.scalar(
        select(Mail.id)
        .where(Mail.due_at <= now)
        .order_by(Mail.due_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if next_id is None:
        return None
    row = session.execute(
        update(Mail)
        .where(Mail.id == next_id)
        .values(due_at=until, attempts=count_up(Mail.attempts))
        .returning(Mail.id, Mail.runner_id, Mail.attempts)
        .execution_options(synchronize_session=False)
    ).one()
    return ClaimedMail(row.id, row.runner_id, row.attempts, until)


def load_claimed(session: Session, claimed: ClaimedMail) -> Mail | None:
    """Return the row of a claimed mail; None if it is not ours any more."""
    return session.scalar(
        select(Mail).where(Mail.id == claimed.id, Mail.due_at == claimed.until)
    )


def load_survey_state(session: Session, mail: Mail) -> SurveyState | None:
    """Return what has become of a mail's survey, wherever it was answered."""
    has_answer = exists().where(
        Answer.runner_id == Survey.runner_id,
        or_(
            Answer.survey_id == Survey.id,
            and_(Survey.run_id.is_not(None), Answer.run_id == Survey.run_id),
        ),
    )
    row = session.execute(
        select(
            has_answer,
            Survey.skipped_at,
            Survey.cancelled_for,
            Survey.expires_at,
            Survey.sent_at,
        ).where(Survey.id == mail.survey_id, Survey.runner_id == mail.runner_id)
    ).one_or_none()
    if row is None:
        return None
    is_answered, skipped_at, cancelled_for, expires_at, sent_at = row
    return SurveyState(
        is_answered=is_answered,
        is_skipped=skipped_at is not None,
        is_cancelled=cancelled_for is not None,
        expires_at=expires_at,
        sent_at=sent_at,
    )


def mark_sent(session: Session, mail: Mail, *, now: datetime) -> None:
    """Record that the server has it: whatever happened meanwhile, it is out."""
    session.execute(
        update(Mail)
        .where(Mail.id == mail.id)
        .values(sent_at=now, due_at=None, sealed=None, withheld_for=None)
    )
    if mail.survey_id is not None and get_mail_spec(mail.kind).asks_first:
        session.execute(
            update(Survey)
            .where(Survey.id == mail.survey_id, Survey.runner_id == mail.runner_id)
            .where(Survey.sent_at.is_(None))
            .values(sent_at=now)
        )


def postpone(session: Session, mail: ClaimedMail, *, until: datetime) -> None:
    """Make the mail due again later, if it is still ours to decide.

    However often it had to wait, its next attempt is not one too many.
    """
    attempts = min(mail.attempts, MAX_ATTEMPTS - 1)
    session.execute(_update_claimed(mail).values(due_at=until, attempts=attempts))


def set_aside(session: Session, mail: ClaimedMail, *, until: datetime) -> None:
    """Make the mail due for a last attempt, if it is still ours to decide."""
    session.execute(
        _update_claimed(mail).values(due_at=until, attempts=MAX_ATTEMPTS - 1)
    )


def has_set_aside(runner_id: int) -> ColumnElement[bool]:
    """Say in a query that a mail of this runner's has its last attempt before it."""
    return exists().where(
        Mail.runner_id == runner_id,
        Mail.due_at.is_not(None),
        Mail.attempts >= MAX_ATTEMPTS - 1,
    )


def suppress(session: Session, mail: ClaimedMail, reason: SuppressionReason) -> None:
    """Close the mail unsent, if it is still ours to decide."""
    if mail.runner_id is not None:
        suppress_decisions(
            session,
            mail.runner_id,
            reason,
            Mail.id == mail.id,
            Mail.due_at == mail.until,
        )
    session.execute(
        _update_claimed(mail).values(due_at=None, withheld_for=reason, sealed=None)
    )


def suppress_decisions(
    session: Session,
    runner_id: int,
    reason: SuppressionReason,
    *conditions: ColumnElement[bool],
) -> None:
    """Let the decision about a run follow the mail that will not go out after all."""
    decision_reason = reason.as_decision
    if decision_reason is None:
        return
    survey_ids = select(Mail.survey_id).where(
        Mail.runner_id == runner_id, Mail.kind == MailKind.SURVEY, *conditions
    )
    run_ids = select(Survey.run_id).where(
        Survey.runner_id == runner_id, Survey.id.in_(survey_ids)
    )
    session.execute(
        update(Decision)
        .where(Decision.runner_id == runner_id, Decision.run_id.in_(run_ids))
        .values(verdict=DecisionVerdict.WITHHOLD, reason=decision_reason)
        .execution_options(synchronize_session=False)
    )


def mark_bounced(
    session: Session, runner_id: int | None, *, is_own_address: bool, now: datetime
) -> None:
    """Note that mail does not arrive, until an address is confirmed again.

    A new address that was mistyped says nothing about a confirmed one.
    """
    is_affected = true() if is_own_address else Runner.email_confirmed_at.is_(None)
    session.execute(
        update(Runner)
        .where(Runner.id == runner_id, is_affected)
        .values(email_bounced_at=now)
    )


def _update_claimed(mail: ClaimedMail) -> Update:
    """Return an update that a cancelled mail or a lost lease escapes."""
    return (
        update(Mail)
        .where(Mail.id == mail.id, Mail.due_at == mail.until)
        .execution_options(synchronize_session=False)
    )
