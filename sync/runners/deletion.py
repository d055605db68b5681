"""Asking for everything to be deleted, with ten minutes to change one's mind.

Asking changes one column: from then on nothing is collected, asked or mailed, and
taking it back leaves everything as it was: what was under way then waits, due.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from sync import counters
from sync.crypto import new_token, token_hash
from sync.database import wake_after_commit
from sync.mail import outbox
from sync.models import Mail, MailLink, Runner, Sweep
from sync.queue import Work
from sync.runners import store
from sync.runtime import Runtime

log = structlog.get_logger()

UNDO_WITHIN = timedelta(minutes=10)
_PURPOSE = "undo"


def ask(runtime: Runtime, runner_id: int) -> datetime:
    """Promise to delete everything; return when.  Asking twice changes nothing."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        erase_at = now + UNDO_WITHIN
        is_first = session.scalar(
            update(Runner)
            .where(Runner.id == runner_id, Runner.erase_at.is_(None))
            .values(erase_at=erase_at)
            .returning(Runner.id)
        )
        runner = session.get_one(Runner, runner_id, populate_existing=True)
        if is_first is not None:
            _offer_undo(runtime, session, runner)
            log.info("deletion asked for", runner_id=runner_id)
        return runner.erase_at or erase_at


def undo(runtime: Runtime, runner_id: int) -> bool:
    """Keep everything after all; False once the deletion has begun."""
    with runtime.db.transaction() as session:
        return _undo(runtime, session, runner_id)


def undo_by_link(runtime: Runtime, token: str) -> bool:
    """Undo the deletion that this mailed link belongs to, once and in time."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = store.use_mail_link(session, token_hash(token), _PURPOSE, now=now)
        return link is not None and _undo(runtime, session, link.runner_id)


def keep(runtime: Runtime, session: Session, runner_id: int) -> bool:
    """Undo a deletion if one was asked for; False once it has begun."""
    runner = session.get(Runner, runner_id, with_for_update=True)
    if runner is None or runner.erase_at is None:
        return runner is not None
    return _undo(runtime, session, runner_id)


def _undo(runtime: Runtime, session: Session, runner_id: int) -> bool:
    now = runtime.db.now(session)
    runner = session.scalar(
        select(Runner)
        .where(
            Runner.id == runner_id,
            Runner.erase_at > now,
            Runner.leaving_since.is_(None),
        )
        .with_for_update()
    )
    if runner is None:
        return False
    # Mails that came due meanwhile wait for this very moment.
    session.execute(
        update(Mail)
        .where(Mail.runner_id == runner_id, Mail.due_at == runner.erase_at)
        .values(due_at=now)
    )
    # What broke off when this was asked for goes on at once.
    session.execute(
        update(Sweep).where(Sweep.runner_id == runner_id).values(due_at=now)
    )
    runner.erase_at = None
    _withdraw_offer(session, runner_id)
    counters.count(session, "deletion undone", at=now)
    for work in Work:
        wake_after_commit(session, work)
    log.info("deletion undone", runner_id=runner_id)
    return True


def _offer_undo(runtime: Runtime, session: Session, runner: Runner) -> None:
    """Mail a link that undoes it: who did not ask should hear of it at once."""
    until = runner.erase_at
    if until is None or runner.email_confirmed_at is None:
        return
    now, token = runtime.db.now(session), new_token()
    session.add(
        MailLink(
            token_hash=token_hash(token),
            runner_id=runner.id,
            purpose=_PURPOSE,
            created_at=now,
            expires_at=until,
        )
    )
    outbox.promise(
        session,
        sealer=runtime.sealer,
        now=now,
        dedupe_key=f"undo:{token_hash(token)}",
        kind="undo",
        runner_id=runner.id,
        values={"token": token, "until": until, "zone": runner.zone},
        stale_at=until,
    )


def _withdraw_offer(session: Session, runner_id: int) -> None:
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner_id, MailLink.purpose == _PURPOSE
        )
    )
    session.execute(
        delete(Mail).where(
            Mail.runner_id == runner_id, Mail.kind == "undo", Mail.due_at.is_not(None)
        )
    )
