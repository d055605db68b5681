"""Accounts that nobody uses: warned after a year, deleted a month later."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from sync import account_state, counters
from sync.conflicts import retry_conflicts
from sync.database import wake_after_commit
from sync.errors import DeletionBegun
from sync.models import MailLink, Runner
from sync.queue import Job
from sync.runners import deletion, mail_links
from sync.runners.mail_links import NewMailLink
from sync.runtime import Runtime
from sync.vocabulary import MailLinkPurpose

log = structlog.get_logger()

WARN_AFTER = timedelta(days=365)
DELETE_AFTER = timedelta(days=395)
# However late the warning came, it leaves this long to answer it.
WARNING_PERIOD = timedelta(days=30)
_PURPOSE = MailLinkPurpose.STAY


def process_inactive(runtime: Runtime) -> None:
    """Warn runners not seen for a year; delete those who ignored the warning."""
    _warn_inactive(runtime)
    _delete_inactive(runtime)


@retry_conflicts
def _warn_inactive(runtime: Runtime) -> None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for runner in _find_inactive(session, since=now - WARN_AFTER, warned=False):
            warn_runner(runtime, session, runner, now=now)


@retry_conflicts
def _delete_inactive(runtime: Runtime) -> None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for runner in _find_inactive(session, since=now - DELETE_AFTER, warned=True):
            if (
                runner.warned_at is not None
                and runner.warned_at <= now - WARNING_PERIOD
            ):
                # At once: a runner who is not there needs no time to undo it.
                runner.erase_at = now
                counters.increment(session, "inactive runner let go", at=now)
                wake_after_commit(session, Job.REMOVALS)
                log.info("inactive runner let go", runner_id=runner.id)


@retry_conflicts
def keep_account(runtime: Runtime, token: str) -> bool:
    """Keep the account that this mailed link belongs to; False if it is too late.

    A deletion that the runner asked for meanwhile is cancelled, too.
    """
    try:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            link = mail_links.redeem_link(session, token, _PURPOSE, now=now)
            if link is None:
                return False
            deletion.cancel_if_requested(runtime, session, link.runner_id)
            account_state.touch(session, link.runner_id, now=now)
    except DeletionBegun:
        return False
    log.info("runner stays", runner_id=link.runner_id)
    return True


def _find_inactive(session: Session, *, since: datetime, warned: bool) -> list[Runner]:
    """Return runners who were last seen before `since` and are not leaving already."""
    has_warning = Runner.warned_at.is_not(None)
    was_never_seen = and_(Runner.active_at.is_(None), Runner.created_at <= since)
    return list(
        session.scalars(
            select(Runner)
            .where(
                or_(Runner.active_at <= since, was_never_seen),
                has_warning if warned else ~has_warning,
                Runner.erase_at.is_(None),
                Runner.leaving_since.is_(None),
            )
            .with_for_update(skip_locked=True)
        )
    )


def warn_runner(
    runtime: Runtime, session: Session, runner: Runner, *, now: datetime
) -> None:
    """Mail a link that keeps the account; earlier ones end."""
    until = now + WARNING_PERIOD
    runner.warned_at = now
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner.id, MailLink.purpose == _PURPOSE
        )
    )
    new_link = NewMailLink(
        purpose=_PURPOSE,
        runner_id=runner.id,
        expires_at=until,
        values={"until": until, "zone": runner.zone},
    )
    mail_links.enqueue_link(session, runtime.sealer, new_link, now=now)
    log.info("inactive runner warned", runner_id=runner.id)
