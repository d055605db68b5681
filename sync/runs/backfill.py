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
from sync.queue import Job, claim_until_idle
from sync.runners import store as runners
from sync.runners.strava_call import call_strava
from sync.runs import private, rules, store
from sync.runs.claims import claim_next
from sync.runs.duplicates import resolve_duplicates
from sync.runtime import Runtime
from sync.strava import ActivityPage, Lane
from sync.vocabulary import BackfillDelay

log = structlog.get_logger()

# Built once, for they run with every page: building them costs more than running.
_RUNNER_ID = bindparam("whose", type_=Backfill.runner_id.type)
_RELEASE = (
    update(Connection)
    .where(
        Connection.runner_id == _RUNNER_ID,
        account_state.may_collect(Connection.runner_id),
        exists().where(
            Backfill.runner_id == _RUNNER_ID,
            Backfill.started_at == bindparam("began_at", type_=UtcDateTime()),
        ),
    )
    .values(busy_until=None)
    .returning(Connection.runner_id)
    .execution_options(synchronize_session=False)
)
_ADVANCE = (
    update(Backfill)
    .where(Backfill.runner_id == _RUNNER_ID)
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


def process_due(runtime: Runtime) -> None:
    """Import page after page for whoever is due, until nobody is."""
    for claimed in claim_until_idle(
        runtime.queue, Job.BACKFILL, partial(_claim, runtime)
    ):
        _import_page(runtime, claimed)


def _claim(runtime: Runtime) -> Backfill | None:
    with runtime.db.transaction() as session:
        return claim_next(session, Backfill, now=runtime.db.now(session))


def _import_page(runtime: Runtime, claimed: Backfill) -> None:
    try:
        page = call_strava(
            runtime,
            claimed.runner_id,
            lambda token: runtime.strava.page(
                token, lane=Lane.BACKFILL, page=claimed.next_page, before=claimed.before
            ),
        )
    except MoodmilesError as error:
        _postpone(runtime, claimed, error)
    else:
        _store_page(
            runtime, claimed, private.filter_page(runtime, claimed.runner_id, page)
        )


def _store_page(runtime: Runtime, claimed: Backfill, page: ActivityPage) -> None:
    with runtime.db.transaction() as session:
        if not _release(session, claimed):
            return  # the runner left or linked anew while Strava answered
        now = runtime.db.now(session)
        since = rules.retention_start(runtime.settings.strava_retention_days, now=now)
        retained_runs = rules.within_retention(page.runs, since)
        store.upsert_runs(
            session, claimed.runner_id, retained_runs, now=now, imported=True
        )
        store.quarantine(session, claimed.runner_id, page.unreadable, now=now)
        resolve_duplicates(
            session, claimed.runner_id, [run.started_at for run in page.runs]
        )
        is_last = page.size == 0 or _ends_before(page, since)
        _advance(session, claimed, page, now=now, is_last=is_last)
        if page.runs:
            runners.bump_data_version(session, claimed.runner_id)
            wake_after_commit(session, Job.SURVEYS)
    log.info(
        "page imported",
        runner_id=claimed.runner_id,
        page=claimed.next_page,
        size=page.size,
    )


def _release(session: Session, claimed: Backfill) -> bool:
    """Hold the runner no longer than until this commits; False if they have gone.

    They stay linked until then, for their link is locked.
    """
    parameters = {"whose": claimed.runner_id, "began_at": claimed.started_at}
    return session.scalar(_RELEASE, parameters) is not None


def _advance(
    session: Session,
    claimed: Backfill,
    page: ActivityPage,
    *,
    now: datetime,
    is_last: bool,
) -> None:
    parameters = {
        "whose": claimed.runner_id,
        "size": page.size,
        "stored": len(page.runs),
        "oldest_day": page.oldest_day,
        "next_at": None if is_last else now,
        "ended_at": now if is_last else None,
    }
    session.execute(_ADVANCE, parameters)


def _ends_before(page: ActivityPage, since: datetime | None) -> bool:
    """Whether everything after this page is older than what the host keeps."""
    return (
        since is not None
        and page.oldest_day is not None
        # A local day may begin long before the same day in UTC.
        and page.oldest_day < since.date() - timedelta(days=1)
    )


def _postpone(runtime: Runtime, claimed: Backfill, error: MoodmilesError) -> None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        backfill = session.get(Backfill, claimed.runner_id)
        if backfill is None:
            return
        if not rules.counts_as_attempt(error):
            backfill.attempts = max(backfill.attempts - 1, 0)
        is_broken = isinstance(error, AccessRevoked)
        backfill.due_at = (
            None
            if is_broken
            else rules.next_attempt_at(error, attempts=backfill.attempts, now=now)
        )
        backfill.waiting_for = (
            BackfillDelay.LIMIT
            if isinstance(error, RateLimited)
            else BackfillDelay.STRAVA
        )
        due_at = backfill.due_at
        counters.record_strava_error(session, error, at=now)
        runners.release(session, claimed.runner_id)
    if due_at is not None:
        runtime.queue.wake(Job.BACKFILL, after_s=max((due_at - now).total_seconds(), 0))
    log.warning(
        "import postponed",
        runner_id=claimed.runner_id,
        error=type(error).__name__,
        due_at=str(due_at),
    )
