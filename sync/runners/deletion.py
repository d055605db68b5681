"""Asking for everything to be deleted, with ten minutes to change one's mind.

Asking changes one column: from then on nothing is collected, asked or mailed, and
taking it back leaves everything as it was: what was under way then waits, due.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from sync import counters
from sync.conflicts import retry_conflicts
from sync.database import wake_after_commit
from sync.errors import DeletionBegun
from sync.models import Mail, MailLink, ReconcileState, Runner
from sync.queue import Job
from sync.runners import mail_links
from sync.runners.mail_links import NewMailLink
from sync.runtime import Runtime
from sync.vocabulary import MailKind, MailLinkPurpose, RemovalKind

log = structlog.get_logger()

UNDO_WINDOW = timedelta(minutes=10)
_PURPOSE = MailLinkPurpose.UNDO_DELETION
# A disconnection that is under way ends no account.
_HAS_NOT_BEGUN = or_(
    Runner.leaving_since.is_(None), Runner.leaving_for == RemovalKind.DISCONNECT
)


@retry_conflicts
def request_deletion(runtime: Runtime, runner_id: int) -> datetime:
    """Promise to delete everything; return when.  Asking twice changes nothing.

    As long as a change of the ways in can be undone, the deletion waits: whoever made
    it may not be the runner.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        last_undo = mail_links.find_last_undo(session, runner_id, now=now)
        erase_at = max(now + UNDO_WINDOW, last_undo or now)
        is_first = session.scalar(
            update(Runner)
            .where(Runner.id == runner_id, Runner.erase_at.is_(None))
            .values(erase_at=erase_at)
            .returning(Runner.id)
        )
        runner = session.get_one(Runner, runner_id, populate_existing=True)
        if is_first is not None:
            _enqueue_undo_links(runtime, session, runner, now=now)
            log.info("deletion asked for", runner_id=runner_id)
        return runner.erase_at or erase_at


@retry_conflicts
def cancel_deletion(runtime: Runtime, runner_id: int) -> bool:
    """Keep everything after all; False once the deletion has begun."""
    try:
        with runtime.db.transaction(runner_id=runner_id) as session:
            _cancel(runtime, session, runner_id)
    except DeletionBegun:
        return False
    return True


@retry_conflicts
def cancel_by_link(runtime: Runtime, token: str) -> bool:
    """Undo the deletion that this mailed link belongs to, once and in time."""
    try:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            link = mail_links.redeem_link(session, token, _PURPOSE, now=now)
            if link is None:
                return False
            _cancel(runtime, session, link.runner_id)
    except DeletionBegun:
        return False
    return True


@retry_conflicts
def cancel_restored(runtime: Runtime) -> Sequence[int]:
    """Call off every deletion that a restored backup holds; return whose they were.

    They may have been undone since.  Inactive runners are warned anew: they may have
    come back since.
    """
    with runtime.db.transaction() as session:
        runner_ids = session.scalars(
            update(Runner)
            .where(Runner.erase_at.is_not(None), _HAS_NOT_BEGUN)
            .values(erase_at=None)
            .returning(Runner.id)
        ).all()
        session.execute(
            update(Runner).where(Runner.warned_at.is_not(None)).values(warned_at=None)
        )
    for runner_id in runner_ids:
        log.info("deletion called off", runner_id=runner_id)
    return runner_ids


def cancel_if_requested(runtime: Runtime, session: Session, runner_id: int) -> None:
    """Undo a deletion if one was asked for.

    Raises `DeletionBegun` once it has begun.  Let it leave the transaction, so that a
    link redeemed there is not used up for nothing.
    """
    runner = session.get(Runner, runner_id, with_for_update=True)
    if runner is None or runner.erase_at is not None:
        _cancel(runtime, session, runner_id)


def _cancel(runtime: Runtime, session: Session, runner_id: int) -> None:
    now = runtime.db.now(session)
    runner = session.scalar(
        select(Runner)
        .where(
            Runner.id == runner_id,
            Runner.erase_at > now,
            _HAS_NOT_BEGUN,
        )
        .with_for_update()
    )
    if runner is None:
        raise DeletionBegun("The deletion has begun, or none was asked for.")
    # Mails that came due meanwhile wait for this very moment.
    session.execute(
        update(Mail)
        .where(Mail.runner_id == runner_id, Mail.due_at == runner.erase_at)
        .values(due_at=now)
    )
    # What broke off when this was asked for goes on at once.
    session.execute(
        update(ReconcileState)
        .where(ReconcileState.runner_id == runner_id)
        .values(due_at=now)
    )
    runner.erase_at = None
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner_id, MailLink.purpose == _PURPOSE
        )
    )
    session.execute(
        delete(Mail).where(
            Mail.runner_id == runner_id,
            Mail.kind == MailKind.UNDO,
            Mail.due_at.is_not(None),
        )
    )
    counters.increment(session, "deletion undone", at=now)
    for job in Job:
        wake_after_commit(session, job)
    log.info("deletion undone", runner_id=runner_id)


def _enqueue_undo_links(
    runtime: Runtime, session: Session, runner: Runner, *, now: datetime
) -> None:
    """Mail links that undo it: who did not ask should hear of it at once."""
    until = runner.erase_at
    if until is None:
        return
    for address in mail_links.list_recent_addresses(
        session, runtime.sealer, runner, now=now
    ):
        new_link = NewMailLink(
            purpose=_PURPOSE,
            runner_id=runner.id,
            expires_at=until,
            values={"until": until, "zone": runner.zone},
            address=address,
        )
        mail_links.enqueue_link(session, runtime.sealer, new_link, now=now)
