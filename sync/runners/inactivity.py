"""Accounts that nobody uses: warned after a year, deleted a month later."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from sync import account_state, counters
from sync.crypto import hash_token, new_token
from sync.database import wake_after_commit
from sync.mail import outbox
from sync.models import MailLink, Runner
from sync.queue import Job
from sync.runners import deletion, store
from sync.runtime import Runtime
from sync.vocabulary import MailKind, MailLinkPurpose

log = structlog.get_logger()

WARN_AFTER = timedelta(days=365)
DELETE_AFTER = timedelta(days=395)
# However late the warning came, it leaves this long to answer it.
WARNING_PERIOD = timedelta(days=30)
_PURPOSE = MailLinkPurpose.STAY


def process_inactive(runtime: Runtime) -> None:
    """Warn whom nobody saw for a year; let go whom a warning did not bring back."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for runner in _find_inactive(session, since=now - WARN_AFTER, warned=False):
            _warn(runtime, session, runner, now=now)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for runner in _find_inactive(session, since=now - DELETE_AFTER, warned=True):
            if (
                runner.warned_at is not None
                and runner.warned_at <= now - WARNING_PERIOD
            ):
                _schedule_deletion(session, runner, now=now)


def keep_account(runtime: Runtime, token: str) -> bool:
    """Keep the account that this mailed link belongs to; False if it is too late.

    Who keeps it takes back a deletion, too, that they asked for meanwhile.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = store.redeem_mail_link(session, hash_token(token), _PURPOSE, now=now)
        if link is None or not deletion.cancel_if_requested(
            runtime, session, link.runner_id
        ):
            return False
        account_state.touch(session, link.runner_id, now=now)
    log.info("runner stays", runner_id=link.runner_id)
    return True


def _find_inactive(session: Session, *, since: datetime, warned: bool) -> list[Runner]:
    """Return runners who were last seen before `since` and are not leaving already."""
    has_warning = Runner.warned_at.is_not(None)
    return list(
        session.scalars(
            select(Runner)
            .where(
                _last_seen_before(since),
                has_warning if warned else ~has_warning,
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
    token, until = new_token(), now + WARNING_PERIOD
    runner.warned_at = now
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner.id, MailLink.purpose == _PURPOSE
        )
    )
    session.add(
        MailLink(
            token_hash=hash_token(token),
            runner_id=runner.id,
            purpose=_PURPOSE,
            created_at=now,
            expires_at=until,
        )
    )
    outbox.enqueue_mail(
        session,
        sealer=runtime.sealer,
        now=now,
        dedupe_key=f"inactive:{hash_token(token)}",
        kind=MailKind.INACTIVE,
        runner_id=runner.id,
        values={"token": token, "until": until, "zone": runner.zone},
        stale_at=until,
    )
    log.info("inactive runner warned", runner_id=runner.id)


def _schedule_deletion(session: Session, runner: Runner, *, now: datetime) -> None:
    """Hand the runner to those who delete; there is nobody to offer an undo to."""
    runner.erase_at = now
    counters.increment(session, "inactive runner let go", at=now)
    wake_after_commit(session, Job.REMOVALS)
    log.info("inactive runner let go", runner_id=runner.id)
