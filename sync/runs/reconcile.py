"""Find what events missed: compare each runner's list with our rows.

Every day one list read looks 14 days back, and every 28 days the whole list is
compared page by page.  Both take only what the budget leaves to their lane.
Absence from a list hides a run; it goes when Strava says 404, too.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from sync import counters
from sync.database import wake_after_commit
from sync.errors import MoodmilesError
from sync.models import ReconcileState
from sync.queue import Job, claim_until_idle
from sync.runners import store as runners
from sync.runners.strava_call import call_strava
from sync.runs import private, pull, reconcile_rules, rules, store
from sync.runs.claims import LEASE, claim_next
from sync.runs.duplicates import resolve_duplicates
from sync.runs.reconcile_rules import CoveredRange, ListComparison
from sync.runtime import Runtime
from sync.strava import ActivityPage, Lane
from sync.vocabulary import ReconcileStop

log = structlog.get_logger()

MAX_CLOCK_SKEW = timedelta(days=1)  # watches may be set wrong


def process_due(runtime: Runtime) -> None:
    """Look at every runner who is due, until nobody is or the shift ends."""
    for claimed in claim_until_idle(
        runtime.queue, Job.RECONCILE, partial(_claim, runtime)
    ):
        try:
            _reconcile(runtime, claimed)
        except MoodmilesError as error:
            _postpone(runtime, claimed, error)
        finally:
            _release(runtime, claimed.runner_id)


def _claim(runtime: Runtime) -> ReconcileState | None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        sweep = claim_next(session, ReconcileState, now=now)
        if sweep is not None:
            # What kills its worker comes back ever more slowly.
            sweep.due_at = now + LEASE * (1 << min(sweep.attempts, 8))
        return sweep


def _reconcile(runtime: Runtime, claimed: ReconcileState) -> None:
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
    is_full = claimed.before is not None or (
        claimed.compared_at <= now - reconcile_rules.FULL_INTERVAL
    )
    compare_list = _compare_page if is_full else _compare_recent
    if compare_list(runtime, claimed, now=now):
        _confirm_hidden(runtime, claimed.runner_id)


def _compare_recent(
    runtime: Runtime, claimed: ReconcileState, *, now: datetime
) -> bool:
    """Compare the last days; return whether hidden runs are to be confirmed."""
    since = max(now - reconcile_rules.LOOK_BACK, _retention_start(runtime, now))
    until = now + MAX_CLOCK_SKEW
    page = _read_page(runtime, claimed, page=1, before=until, after=since)
    covered = reconcile_rules.recent_range(page, since=since, until=until)
    with runtime.db.transaction() as session:
        sweep = _reload_sweep(session, claimed)
        if sweep is not None:
            comparison = _apply_comparison(
                runtime, session, claimed.runner_id, page, covered
            )
            _finish(runtime, session, sweep, comparison)
    return True


def _compare_page(runtime: Runtime, claimed: ReconcileState, *, now: datetime) -> bool:
    """Compare one page; return whether hidden runs are to be confirmed.

    Whatever else is hidden waits for the last page: to look for it after each one
    would read all runs as often as there are pages.
    """
    before = claimed.before or now + MAX_CLOCK_SKEW
    after = _retention_start(runtime, now)
    page = _read_page(
        runtime, claimed, page=claimed.next_page, before=before, after=after
    )
    covered = reconcile_rules.next_range(page, down_to=claimed.down_to or before)
    with runtime.db.transaction() as session:
        sweep = _reload_sweep(session, claimed)
        if sweep is None:
            return True
        comparison = _apply_comparison(
            runtime, session, claimed.runner_id, page, covered
        )
        if page.size and not comparison.is_doubtful:
            sweep.before, sweep.down_to = before, covered.since
            sweep.next_page = claimed.next_page + 1
            sweep.attempts, sweep.due_at = 0, now
            return bool(comparison.missing_ids)
        sweep.before, sweep.down_to, sweep.next_page = None, None, 1
        sweep.compared_at = now
        _finish(runtime, session, sweep, comparison)
    return True


def _retention_start(runtime: Runtime, now: datetime) -> datetime:
    start = rules.retention_start(runtime.settings.strava_retention_days, now=now)
    return start or reconcile_rules.EARLIEST


def _reload_sweep(session: Session, claimed: ReconcileState) -> ReconcileState | None:
    """Return the sweep, unless the runner left while Strava answered."""
    if not runners.is_linked(session, claimed.runner_id):
        return None
    return session.get(ReconcileState, claimed.runner_id)


def _read_page(
    runtime: Runtime,
    claimed: ReconcileState,
    *,
    page: int,
    before: datetime,
    after: datetime,
) -> ActivityPage:
    activity_page = call_strava(
        runtime,
        claimed.runner_id,
        lambda token: runtime.strava.page(
            token, lane=Lane.RECONCILE, page=page, before=before, after=after
        ),
    )
    return private.filter_page(runtime, claimed.runner_id, activity_page)


def _apply_comparison(
    runtime: Runtime,
    session: Session,
    runner_id: int,
    page: ActivityPage,
    covered: CoveredRange,
) -> ListComparison:
    """Store what is new or different, and hide what the page leaves out."""
    now = runtime.db.now(session)
    listed_ids = [
        *(run.id for run in page.runs),
        *(activity.id for activity in page.other_activities),
    ]
    known = store.load_known_runs(
        session, runner_id, covered.since, covered.until, listed_ids
    )
    comparison = reconcile_rules.compare(known, page, covered)
    store.upsert_runs(session, runner_id, comparison.changed_runs, now=now)
    changed_starts = [run.started_at for run in comparison.changed_runs]
    changed_starts += store.delete_runs(
        session, runner_id, comparison.other_ids, now=now
    )
    if not comparison.is_doubtful:
        changed_starts += store.hide_runs(
            session, runner_id, comparison.missing_ids, now=now
        )
    store.quarantine(session, runner_id, page.unreadable, now=now)
    if changed_starts:
        resolve_duplicates(session, runner_id, changed_starts)
        runners.bump_data_version(session, runner_id)
        wake_after_commit(session, Job.SURVEYS)
    log.info(
        "list compared",
        runner_id=runner_id,
        saved=len(comparison.changed_runs),
        missing=len(comparison.missing_ids),
    )
    return comparison


def _finish(
    runtime: Runtime,
    session: Session,
    sweep: ReconcileState,
    comparison: ListComparison,
) -> None:
    """Note the sweep and say when the next one is due; doubt is said aloud."""
    now = runtime.db.now(session)
    minutes = runtime.settings.poll_minutes
    sweep.swept_at = now
    sweep.attempts = 0
    sweep.stopped_for = (
        ReconcileStop.WOULD_DELETE_EVERYTHING if comparison.is_doubtful else None
    )
    sweep.due_at = reconcile_rules.next_reconcile_at(
        now,
        poll_interval=timedelta(minutes=minutes) if minutes else None,
        habit=reconcile_rules.learn_habit(
            store.load_finishes(session, sweep.runner_id) if minutes else ()
        ),
    )
    if comparison.is_doubtful:
        counters.increment(session, "sweep stopped", at=now)
        log.error(
            "sweep stopped: Strava shows none of the runs we know",
            runner_id=sweep.runner_id,
            known=len(comparison.missing_ids),
        )


def _confirm_hidden(runtime: Runtime, runner_id: int) -> None:
    """Ask for each run that is out of sight: a 404 removes it, else it is back."""
    with runtime.db.read_only() as session:
        hidden_ids = store.find_hidden(session, runner_id)
    for run_id in hidden_ids:
        pull.confirm_gone(runtime, runner_id, run_id, lane=Lane.RECONCILE)


def _postpone(runtime: Runtime, claimed: ReconcileState, error: MoodmilesError) -> None:
    with runtime.db.transaction() as session:
        sweep = session.get(ReconcileState, claimed.runner_id)
        if sweep is None:
            return
        if not rules.counts_as_attempt(error):
            sweep.attempts = max(claimed.attempts - 1, 0)
        now = runtime.db.now(session)
        sweep.due_at = rules.next_attempt_at(error, attempts=sweep.attempts, now=now)
        due_at = sweep.due_at
        counters.record_strava_error(session, error, at=now)
    log.warning(
        "sweep postponed",
        runner_id=claimed.runner_id,
        error=type(error).__name__,
        due_at=str(due_at),
    )


def _release(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        runners.release(session, runner_id)
