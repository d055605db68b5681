"""Import a runner's past: list pages, newest first, one checkpoint a page.

Each page and its checkpoint are one transaction, so a kill at any point costs
at most one page read again.  `before` is fixed while paging, so that new
uploads do not shift the pages, and only an empty page is the last.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Integer, bindparam, exists, func, update
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import account_state, work
from sync.conflicts import retry_conflicts
from sync.errors import AccessRevoked, RateLimited
from sync.models import Backfill, Connection
from sync.models.base import UtcDateTime
from sync.queue import Job
from sync.runners import store as runners
from sync.runners.strava_call import call_strava
from sync.runs import claims, private
from sync.runs.changes import RunChanges, apply_changes, save_or_quarantine
from sync.runs.claims import RunnerClaim
from sync.runs.rules import retention_start
from sync.runtime import Runtime
from sync.strava import ActivityPage, Lane
from sync.vocabulary import BackfillDelay
from sync.work import DueWork, Failure, Retry

log = structlog.get_logger()

# Built once, for they run with every page: building them costs more than running.
_RUNNER_ID = bindparam("claimed_runner_id", type_=Backfill.runner_id.type)
_RELEASE = (
    update(Connection)
    .where(
        Connection.runner_id == _RUNNER_ID,
        account_state.may_collect(Connection.runner_id),
        exists().where(
            Backfill.runner_id == _RUNNER_ID,
            Backfill.started_at == bindparam("claimed_start", type_=UtcDateTime()),
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
        reached=func.coalesce(
            bindparam("oldest_day", type_=Backfill.reached.type), Backfill.reached
        ),
        due_at=bindparam("next_at", type_=UtcDateTime()),
        finished_at=bindparam("ended_at", type_=UtcDateTime()),
        attempts=0,
        waiting_for=None,
    )
    .execution_options(synchronize_session=False)
)


class BackfillWork(DueWork[RunnerClaim]):
    """The next page of a runner's past."""

    job = Job.BACKFILL
    reads_strava = True

    @override
    def claim(self, runtime: Runtime) -> Iterator[RunnerClaim]:
        while True:
            with runtime.db.transaction() as session:
                now = runtime.db.now(session)
                claimed = claims.claim_next(session, Backfill, now=now)
            if claimed is None:
                return
            yield claimed

    @override
    def handle(self, runtime: Runtime, item: RunnerClaim) -> None:
        backfill = claims.load_claimed(runtime, Backfill, item)
        if backfill is None:
            return
        page = call_strava(
            runtime,
            item.runner_id,
            lambda token: runtime.strava.page(
                token,
                lane=Lane.BACKFILL,
                page=backfill.next_page,
                before=backfill.before,
            ),
        )
        page = private.filter_page(runtime, item.runner_id, page)
        is_saved = save_or_quarantine(
            runtime,
            item.runner_id,
            page,
            lambda page: save_page(runtime, backfill, page),
        )
        if is_saved:
            log.info(
                "page imported",
                runner_id=item.runner_id,
                page=backfill.next_page,
                size=page.size,
            )

    @override
    def postpone(self, session: Session, item: RunnerClaim, failure: Failure) -> Retry:
        runners.release(session, item.runner_id)
        waiting_for = (
            BackfillDelay.LIMIT
            if isinstance(failure.error, RateLimited)
            else BackfillDelay.STRAVA
        )
        retry = claims.postpone_row(
            session, self.job, Backfill, item, failure, waiting_for=waiting_for
        )
        if isinstance(failure.error, AccessRevoked):
            # Linking anew starts it again.
            session.execute(
                update(Backfill)
                .where(Backfill.runner_id == item.runner_id)
                .values(due_at=None)
            )
            return Retry(None)
        return retry

    @override
    def attempts(self, item: RunnerClaim) -> int:
        return item.attempts

    @override
    def log_ids(self, item: RunnerClaim) -> Mapping[str, object]:
        return {"runner_id": item.runner_id, "page": item.next_page}


def process_due(runtime: Runtime) -> None:
    """Import page after page, until nothing is due or the shift ends."""
    work.process_due(runtime, BackfillWork())


@retry_conflicts
def save_page(runtime: Runtime, claimed: Backfill, page: ActivityPage) -> bool:
    """Store a page, its checkpoint, and the end of the lease, all or nothing.

    Returns False if the runner left or linked anew while Strava answered.
    """
    runner_id = claimed.runner_id
    with runtime.db.transaction(runner_id=runner_id) as session:
        # This locks the link, so that the runner stays linked until the commit.
        release = {
            "claimed_runner_id": runner_id,
            "claimed_start": claimed.started_at,
        }
        if session.scalar(_RELEASE, release) is None:
            return False
        now = runtime.db.now(session)
        changes = RunChanges(runs=page.runs, unreadable=page.unreadable, is_import=True)
        apply_changes(runtime, session, runner_id, changes, now=now)
        since = retention_start(runtime.settings.strava_retention_days, now=now)
        is_last = page.size == 0 or _ends_before(page, since)
        advance = {
            "claimed_runner_id": runner_id,
            "size": page.size,
            "stored": len(page.runs),
            "oldest_day": page.oldest_day,
            "next_at": None if is_last else now,
            "ended_at": now if is_last else None,
        }
        session.execute(_ADVANCE, advance)
        if claims.was_set_aside(claimed):
            work.forget_failure(session, Job.BACKFILL, runner_id)
    return True


def _ends_before(page: ActivityPage, since: datetime | None) -> bool:
    """Whether everything after this page is older than what the host keeps."""
    return (
        since is not None
        and page.oldest_day is not None
        # A local day may begin long before the same day in UTC.
        and page.oldest_day < since.date() - timedelta(days=1)
    )
