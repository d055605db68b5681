"""Reconcile our rows with each runner's list: it finds what events missed.

Every day one list read looks 14 days back, and every 28 days the whole list is
compared page by page.  Both take only what the budget leaves to their lane.
Absence from a list hides a run; it goes when Strava says 404, too.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import counters, work
from sync.backoff import LEASE
from sync.conflicts import retry_conflicts
from sync.models import ReconcileState
from sync.queue import Job
from sync.runners import store as runners
from sync.runners.strava_call import call_strava
from sync.runs import claims, private, pull, reconcile_rules, rules, store
from sync.runs.changes import RunChanges, apply_changes, save_or_quarantine
from sync.runs.claims import RunnerClaim
from sync.runs.duplicates import resolve_duplicates
from sync.runs.reconcile_rules import CoveredRange, ListComparison
from sync.runtime import Runtime
from sync.strava import ActivityPage, Lane
from sync.vocabulary import ReconcileStop
from sync.work import DueWork, Failure, Retry

log = structlog.get_logger()

MAX_CLOCK_SKEW = timedelta(days=1)  # watches may be set wrong


class ReconcileWork(DueWork[RunnerClaim]):
    """One list read against a runner's rows."""

    job = Job.RECONCILE
    reads_strava = True

    @override
    def claim(self, runtime: Runtime) -> Iterator[RunnerClaim]:
        while True:
            with runtime.db.transaction() as session:
                now = runtime.db.now(session)
                claimed = claims.claim_next(session, ReconcileState, now=now)
                if claimed is not None:
                    session.execute(
                        update(ReconcileState)
                        .where(ReconcileState.runner_id == claimed.runner_id)
                        .values(due_at=now + LEASE)
                    )
            if claimed is None:
                return
            yield claimed

    @override
    def handle(self, runtime: Runtime, item: RunnerClaim) -> None:
        state = claims.load_claimed(runtime, ReconcileState, item)
        if state is None:
            return
        with runtime.db.read_only() as session:
            now = runtime.db.now(session)
        is_full = state.before is not None or (
            state.compared_at <= now - reconcile_rules.FULL_INTERVAL
        )
        compare_list = compare_page if is_full else compare_recent
        if not compare_list(runtime, state, now=now):
            return
        with runtime.db.read_only() as session:
            hidden_ids = store.find_hidden(session, item.runner_id)
        # A 404 removes a hidden run; else it is back.
        for run_id in hidden_ids:
            pull.confirm_gone(runtime, item.runner_id, run_id, lane=Lane.RECONCILE)

    @override
    def postpone(self, session: Session, item: RunnerClaim, failure: Failure) -> Retry:
        # Hidden runs are confirmed after the comparison has set the attempts back.
        return claims.postpone_row(session, self.job, ReconcileState, item, failure)

    @override
    def release(self, runtime: Runtime, item: RunnerClaim) -> None:
        with runtime.db.transaction() as session:
            runners.release(session, item.runner_id)

    @override
    def attempts(self, item: RunnerClaim) -> int:
        return item.attempts

    @override
    def log_ids(self, item: RunnerClaim) -> Mapping[str, object]:
        return {"runner_id": item.runner_id}


def process_due(runtime: Runtime) -> None:
    """Reconcile with Strava's lists, until nothing is due or the shift ends."""
    work.process_due(runtime, ReconcileWork())


def compare_recent(runtime: Runtime, claimed: ReconcileState, *, now: datetime) -> bool:
    """Compare the last days; return whether hidden runs are to be confirmed."""
    since = max(now - reconcile_rules.LOOK_BACK, _retention_start(runtime, now))
    until = now + MAX_CLOCK_SKEW
    page = _read_page(runtime, claimed, page=1, before=until, after=since)
    covered = reconcile_rules.recent_range(page, since=since, until=until)

    @retry_conflicts
    def save(page: ActivityPage) -> None:
        with runtime.db.transaction(runner_id=claimed.runner_id) as session:
            state = _reload_state(session, claimed)
            if state is not None:
                comparison = _apply_comparison(
                    runtime, session, claimed.runner_id, page, covered
                )
                _finish(runtime, session, state, comparison)

    save_or_quarantine(runtime, claimed.runner_id, page, save)
    return True


def compare_page(runtime: Runtime, claimed: ReconcileState, *, now: datetime) -> bool:
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

    @retry_conflicts
    def save(page: ActivityPage) -> bool:
        with runtime.db.transaction(runner_id=claimed.runner_id) as session:
            state = _reload_state(session, claimed)
            if state is None:
                return True
            comparison = _apply_comparison(
                runtime, session, claimed.runner_id, page, covered
            )
            if page.size and not comparison.is_doubtful:
                state.before, state.down_to = before, covered.since
                state.next_page = claimed.next_page + 1
                state.attempts, state.due_at = 0, now
                return bool(comparison.missing_ids)
            state.before, state.down_to, state.next_page = None, None, 1
            state.compared_at = now
            _finish(runtime, session, state, comparison)
        return True

    return save_or_quarantine(runtime, claimed.runner_id, page, save)


def _retention_start(runtime: Runtime, now: datetime) -> datetime:
    start = rules.retention_start(runtime.settings.strava_retention_days, now=now)
    return start or reconcile_rules.EARLIEST


def _reload_state(session: Session, claimed: ReconcileState) -> ReconcileState | None:
    """Return the row, unless the runner left while Strava answered."""
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
    known_rows = store.load_known_rows(
        session, runner_id, covered.since, covered.until, listed_ids
    )
    comparison = reconcile_rules.compare(known_rows, page, covered)
    changes = RunChanges(
        runs=comparison.changed_runs,
        other_ids=comparison.other_ids,
        hidden_ids=() if comparison.is_doubtful else comparison.missing_ids,
        unreadable=page.unreadable,
    )
    apply_changes(runtime, session, runner_id, changes, now=now)
    # An earlier version may have judged the same recordings otherwise.
    if resolve_duplicates(session, runner_id, [run.started_at for run in page.runs]):
        runners.bump_data_version(session, runner_id)
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
    state: ReconcileState,
    comparison: ListComparison,
) -> None:
    """Note the comparison and set when the next is due; doubt is shown to the host."""
    now = runtime.db.now(session)
    if claims.was_set_aside(state):
        work.forget_failure(session, Job.RECONCILE, state.runner_id)
    minutes = runtime.settings.poll_minutes
    state.swept_at = now
    state.attempts = 0
    state.stopped_for = (
        ReconcileStop.WOULD_DELETE_EVERYTHING if comparison.is_doubtful else None
    )
    state.due_at = reconcile_rules.next_reconcile_at(
        now,
        poll_interval=timedelta(minutes=minutes) if minutes else None,
        habit=reconcile_rules.learn_habit(
            store.load_finishes(session, state.runner_id) if minutes else ()
        ),
    )
    if comparison.is_doubtful:
        counters.increment(session, "sweep stopped", at=now)
        log.error(
            "sweep stopped: Strava shows none of the runs we know",
            runner_id=state.runner_id,
            known=len(comparison.missing_ids),
        )
