"""Import a runner's past: list pages, newest first, one checkpoint a page.

Each page and its checkpoint are one transaction, so a kill at any point costs
at most one page read again.  `before` is fixed while paging, so that new
uploads do not shift the pages, and only an empty page is the last.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Date, Integer, bindparam, exists, func, update
from sqlalchemy.orm import Session

from sync import account_state, counters
from sync.database import wake_after_commit
from sync.errors import AccessRevoked, MoodmilesError, RateLimited
from sync.models import Backfill, Connection
from sync.models.base import UtcDateTime
from sync.queue import Work, shift
from sync.runners import store as runners
from sync.runners.strava_call import ask
from sync.runs import private, rules, store
from sync.runs.claims import take
from sync.runs.duplicates import arrange
from sync.runtime import Runtime
from sync.strava import Lane, Page

log = structlog.get_logger()

# Built once, for they run with every page: building them costs more than running.
_WHOSE = bindparam("whose", type_=Backfill.runner_id.type)
_LET_GO = (
    update(Connection)
    .where(
        Connection.runner_id == _WHOSE,
        account_state.may_collect(Connection.runner_id),
        exists().where(
            Backfill.runner_id == _WHOSE,
            Backfill.started_at == bindparam("began_at", type_=UtcDateTime()),
        ),
    )
    .values(busy_until=None)
    .returning(Connection.runner_id)
    .execution_options(synchronize_session=False)
)
_ADVANCE = (
    update(Backfill)
    .where(Backfill.runner_id == _WHOSE)
    .values(
        next_page=Backfill.next_page + 1,
        activities_seen=Backfill.activities_seen + bindparam("size", type_=Integer),
        runs_stored=Backfill.runs_stored + bindparam("stored", type_=Integer),
        reached=func.coalesce(bindparam("oldest_day", type_=Date), Backfill.reached),
        due_at=bindparam("next_at", type_=UtcDateTime()),
        finished_at=bindparam("ended_at", type_=UtcDateTime()),
        attempts=0,
        waiting_for=None,
    )
    .execution_options(synchronize_session=False)
)


def drain(runtime: Runtime) -> None:
    """Import page after page for whoever is due, until nobody is."""
    for held in shift(runtime.queue, Work.BACKFILL, partial(_claim, runtime)):
        _next_page(runtime, held)


def _claim(runtime: Runtime) -> Backfill | None:
    with runtime.db.transaction() as session:
        return take(session, Backfill, now=runtime.db.now(session))


def _next_page(runtime: Runtime, held: Backfill) -> None:
    try:
        page = ask(
            runtime,
            held.runner_id,
            lambda token: runtime.strava.page(
                token, lane=Lane.BACKFILL, page=held.next_page, before=held.before
            ),
        )
    except MoodmilesError as error:
        _postpone(runtime, held, error)
    else:
        _keep(runtime, held, private.page_for(runtime, held.runner_id, page))


def _keep(runtime: Runtime, held: Backfill, page: Page) -> None:
    with runtime.db.transaction() as session:
        if not _let_go(session, held):
            return  # the runner left or linked anew while Strava answered
        now = runtime.db.now(session)
        since = rules.kept_since(runtime.settings.strava_retention_days, now=now)
        young = rules.young_enough(page.runs, since)
        store.save(session, held.runner_id, young, now=now, imported=True)
        store.set_aside(session, held.runner_id, page.unreadable, now=now)
        arrange(session, held.runner_id, [run.started_at for run in page.runs])
        is_last = page.size == 0 or _is_before(page, since)
        _advance(session, held, page, now=now, is_last=is_last)
        if page.runs:
            runners.changed(session, held.runner_id)
            wake_after_commit(session, Work.SURVEYS)
    log.info(
        "page imported", runner_id=held.runner_id, page=held.next_page, size=page.size
    )


def _let_go(session: Session, held: Backfill) -> bool:
    """Hold the runner no longer than until this commits; False if they have gone.

    They stay linked until then, for their link is locked.
    """
    told = {"whose": held.runner_id, "began_at": held.started_at}
    return session.scalar(_LET_GO, told) is not None


def _advance(
    session: Session, held: Backfill, page: Page, *, now: datetime, is_last: bool
) -> None:
    told = {
        "whose": held.runner_id,
        "size": page.size,
        "stored": len(page.runs),
        "oldest_day": page.oldest_day,
        "next_at": None if is_last else now,
        "ended_at": now if is_last else None,
    }
    session.execute(_ADVANCE, told)


def _is_before(page: Page, since: datetime | None) -> bool:
    """Whether everything after this page is older than what the host keeps."""
    return (
        since is not None
        and page.oldest_day is not None
        # A local day may begin long before the same day in UTC.
        and page.oldest_day < since.date() - timedelta(days=1)
    )


def _postpone(runtime: Runtime, held: Backfill, error: MoodmilesError) -> None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        backfill = session.get(Backfill, held.runner_id)
        if backfill is None:
            return
        if not rules.costs_an_attempt(error):
            backfill.attempts = max(backfill.attempts - 1, 0)
        broken = isinstance(error, AccessRevoked)
        backfill.due_at = (
            None
            if broken
            else rules.next_try(error, attempts=backfill.attempts, now=now)
        )
        backfill.waiting_for = "limit" if isinstance(error, RateLimited) else "strava"
        due_at = backfill.due_at
        counters.trouble(session, error, at=now)
        runners.release(session, held.runner_id)
    if due_at is not None:
        runtime.queue.wake(
            Work.BACKFILL, after_s=max((due_at - now).total_seconds(), 0)
        )
    log.warning(
        "import postponed",
        runner_id=held.runner_id,
        error=type(error).__name__,
        due_at=str(due_at),
    )
