"""Whether new data about a runner may be collected, and mails sent to them.

Neither is allowed while a deletion is pending, nor while a text that the runner
agreed to has a newer version.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import TypeAlias

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from sync.consent_version import VERSION
from sync.errors import ConsentOutdated, DeletionPending
from sync.models import Consent, Runner
from sync.vocabulary import ConsentKind, is_unknown

RunnerId: TypeAlias = InstrumentedAttribute[int]

DELETION_GRACE = timedelta(minutes=2)  # longer than a removal takes


@cache  # used before every page and every event
def may_collect(runner_id: RunnerId) -> ColumnElement[bool]:
    """Return the SQL condition that new data about this runner may be collected."""
    deleting_runner = aliased(Runner)
    is_being_deleted = exists().where(
        deleting_runner.id == runner_id, deleting_runner.erase_at.is_not(None)
    )
    return and_(~is_being_deleted, ~has_outdated_consent(runner_id))


def has_outdated_consent(runner_id: RunnerId) -> ColumnElement[bool]:
    """Return the SQL condition that a text agreed to has a newer version.

    What was agreed to elsewhere, as an imported file says, counts like an older text.
    """
    older, newer = aliased(Consent), aliased(Consent)
    return exists().where(
        older.runner_id == runner_id,
        older.withdrawn_at.is_(None),
        # Nobody can agree anew to what only a newer version asks for.
        older.kind.in_(list(ConsentKind)),
        (older.version != VERSION) | older.from_file,
        ~exists().where(
            newer.runner_id == older.runner_id,
            newer.kind == older.kind,
            newer.withdrawn_at.is_(None),
            newer.version == VERSION,
            ~newer.from_file,
        ),
    )


def may_collect_now(session: Session, runner_id: int) -> bool:
    """Return whether new data about this runner may be collected."""
    statement = select(Runner.id).where(Runner.id == runner_id, may_collect(Runner.id))
    return session.scalar(statement) is not None


def outdated_consents(
    session: Session, runner_id: int, *, trusts_files: bool = False
) -> dict[ConsentKind, datetime]:
    """Return the kinds agreed to in an older text, or elsewhere, with the times."""
    rows = session.execute(
        select(Consent.kind, Consent.version, Consent.given_at, Consent.from_file)
        .where(Consent.runner_id == runner_id, Consent.withdrawn_at.is_(None))
        .order_by(Consent.given_at, Consent.id)
    ).all()
    current_kinds = {
        row.kind
        for row in rows
        if row.version == VERSION and (trusts_files or not row.from_file)
    }
    return {
        row.kind: row.given_at
        for row in rows
        if row.kind not in current_kinds and not is_unknown(row.kind)
    }


def require_active(
    session: Session, runner_id: int, *, trusts_files: bool = False
) -> None:
    """Raise `DeletionPending` or `ConsentOutdated` if nothing may be collected."""
    require_not_deleting(session, runner_id)
    if outdated_consents(session, runner_id, trusts_files=trusts_files):
        raise ConsentOutdated("The text that this runner agreed to has changed.")


def require_not_deleting(session: Session, runner_id: int) -> None:
    """Raise `DeletionPending` while a deletion is pending; an older text passes.

    For actions that store nothing about running, and for the new consent itself.
    """
    erase_at = session.scalar(select(Runner.erase_at).where(Runner.id == runner_id))
    if erase_at is not None:
        raise DeletionPending("This account is about to be deleted.")


def touch(session: Session, runner_id: int, *, now: datetime) -> None:
    """Store that the runner was active now, which ends a warning of inactivity."""
    session.execute(
        update(Runner)
        .where(Runner.id == runner_id)
        .values(active_at=now, warned_at=None)
    )
