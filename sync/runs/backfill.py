"""Import a runner's past: list pages, newest first, one checkpoint a page.

Each page and its checkpoint are one transaction, so a kill at any point costs
at most one page read again.  `before` is fixed while paging, so that new
uploads do not shift the pages, and only an empty page is the last.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog

from sync import tallies
from sync.database import wake_after_commit
from sync.errors import AccessRevoked, MoodmilesError, RateLimited
from sync.models import Backfill
from sync.queue import Work, shift
from sync.runners import store as runners
from sync.runners.strava_call import ask
from sync.runs import private, rules, store
from sync.runs.recordings import arrange
from sync.runs.turns import take
from sync.runtime import Runtime
from sync.strava import Lane, Page

log = structlog.get_logger()


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
        now = runtime.db.now(session)
        backfill = session.get(Backfill, held.runner_id)
        if (
            backfill is None
            or backfill.started_at != held.started_at
            or not runners.is_linked(session, held.runner_id)
        ):
            return  # the runner left or linked anew while Strava answered
        since = rules.kept_since(runtime.settings.strava_retention_days, now=now)
        young = rules.young_enough(page.runs, since)
        store.save(session, held.runner_id, young, now=now, imported=True)
        store.set_aside(session, held.runner_id, page.unreadable, now=now)
        arrange(session, held.runner_id, [run.started_at for run in page.runs])
        _advance(backfill, page)
        is_last = page.size == 0 or _is_before(page, since)
        backfill.due_at = None if is_last else now
        backfill.finished_at = now if is_last else None
        if page.runs:
            runners.changed(session, held.runner_id)
            wake_after_commit(session, Work.SURVEYS)
        runners.release(session, held.runner_id)
    log.info(
        "page imported", runner_id=held.runner_id, page=held.next_page, size=page.size
    )


def _advance(backfill: Backfill, page: Page) -> None:
    backfill.next_page += 1
    backfill.activities_seen += page.size
    backfill.runs_stored += len(page.runs)
    backfill.reached = page.oldest_day or backfill.reached
    backfill.attempts = 0
    backfill.waiting_for = None


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
        tallies.trouble(session, error, at=now)
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
