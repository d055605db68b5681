"""Accounts that nobody uses: warned after a year, deleted a month later."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from sync import account_state, counters
from sync.crypto import new_token, token_hash
from sync.database import wake_after_commit
from sync.mail import outbox
from sync.models import MailLink, Runner
from sync.queue import Work
from sync.runners import deletion, store
from sync.runtime import Runtime

log = structlog.get_logger()

WARNED_AFTER = timedelta(days=365)
DELETED_AFTER = timedelta(days=395)
# However late the warning came, it leaves this long to answer it.
TIME_TO_ANSWER = timedelta(days=30)
_PURPOSE = "stay"


def look(runtime: Runtime) -> None:
    """Warn whom nobody saw for a year; let go whom a warning did not bring back."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for runner in _away(session, since=now - WARNED_AFTER, warned=False):
            _warn(runtime, session, runner, now=now)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for runner in _away(session, since=now - DELETED_AFTER, warned=True):
            if (
                runner.warned_at is not None
                and runner.warned_at <= now - TIME_TO_ANSWER
            ):
                _let_go(session, runner, now=now)


def stay(runtime: Runtime, token: str) -> bool:
    """Keep the account that this mailed link belongs to; False if it is too late.

    Who keeps it takes back a deletion, too, that they asked for meanwhile.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = store.use_mail_link(session, token_hash(token), _PURPOSE, now=now)
        if link is None or not deletion.keep(runtime, session, link.runner_id):
            return False
        account_state.seen(session, link.runner_id, now=now)
    log.info("runner stays", runner_id=link.runner_id)
    return True


def _away(session: Session, *, since: datetime, warned: bool) -> list[Runner]:
    """Return runners who were last seen before `since` and are not leaving already."""
    is_warned = Runner.warned_at.is_not(None)
    return list(
        session.scalars(
            select(Runner)
            .where(
                _last_seen_before(since),
                is_warned if warned else ~is_warned,
                Runner.erase_at.is_(None),
                Runner.leaving_since.is_(None),
            )
            .with_for_update(skip_locked=True)
        )
    )


def _last_seen_before(since: datetime) -> ColumnElement[bool]:
    never_seen = and_(Runner.active_at.is_(None), Runner.created_at <= since)
    return or_(Runner.active_at <= since, never_seen)


def _warn(runtime: Runtime, session: Session, runner: Runner, *, now: datetime) -> None:
    token, until = new_token(), now + TIME_TO_ANSWER
    runner.warned_at = now
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner.id, MailLink.purpose == _PURPOSE
        )
    )
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
        dedupe_key=f"inactive:{token_hash(token)}",
        kind="inactive",
        runner_id=runner.id,
        values={"token": token, "until": until, "zone": runner.zone},
        stale_at=until,
    )
    log.info("inactive runner warned", runner_id=runner.id)


def _let_go(session: Session, runner: Runner, *, now: datetime) -> None:
    """Hand the runner to those who delete; there is nobody to offer an undo to."""
    runner.erase_at = now
    counters.count(session, "inactive runner let go", at=now)
    wake_after_commit(session, Work.LEAVING)
    log.info("inactive runner let go", runner_id=runner.id)
