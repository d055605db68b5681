"""Bring our copy of single runs up to date with Strava's."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from sync.database import wake_after_commit
from sync.errors import NotOnStrava, TryLater
from sync.queue import Job
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runners.strava_call import call_strava
from sync.runs import private, store
from sync.runs.duplicates import resolve_duplicates
from sync.runs.rules import retention_start, within_retention
from sync.runtime import Runtime
from sync.strava import Lane, OtherActivity, RemoteRun, UnreadableRecord
from sync.vocabulary import Visibility

log = structlog.get_logger()

_ONE_SECOND = timedelta(seconds=1)


def pull_run(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Read one run (one request) and store what Strava says now.

    Raises `NotOnStrava` when Strava does not show it (yet, or any more).
    """
    activity = call_strava(
        runtime, runner_id, lambda token: runtime.strava.run(token, run_id, lane=lane)
    )
    store_activities(
        runtime, runner_id, [private.require_visible(runtime, runner_id, activity)]
    )


def pull_batch(
    runtime: Runtime, runner_id: int, run_ids: Collection[int], *, lane: Lane
) -> set[int]:
    """Bring several runs up to date with one list read; return those it showed."""
    with runtime.db.read_only() as session:
        starts = store.find_starts(session, runner_id, run_ids)
    # New runs are on the newest page; known ones may be far from it.
    before = max(starts) + _ONE_SECOND if len(starts) == len(run_ids) else None
    page = call_strava(
        runtime,
        runner_id,
        lambda token: runtime.strava.page(token, lane=lane, before=before),
    )
    page = private.filter_page(runtime, runner_id, page)
    activities: list[RemoteRun | OtherActivity] = [*page.runs, *page.other_activities]
    requested = [activity for activity in activities if activity.id in run_ids]
    unreadable = [activity for activity in page.unreadable if activity.id in run_ids]
    store_activities(runtime, runner_id, requested, unreadable=unreadable)
    return {activity.id for activity in requested} | {
        activity.id for activity in unreadable
    }


def store_activities(
    runtime: Runtime,
    runner_id: int,
    activities: Sequence[RemoteRun | OtherActivity],
    *,
    unreadable: Sequence[UnreadableRecord] = (),
) -> None:
    """Store runs, and drop our copies of what are runs no longer.

    Raises `TryLater` while a deletion can still be undone.
    """
    runs = [activity for activity in activities if isinstance(activity, RemoteRun)]
    other_ids = [
        activity.id for activity in activities if isinstance(activity, OtherActivity)
    ]
    with runtime.db.transaction() as session:
        if not runners.is_linked(session, runner_id):
            if runners.may_undo_deletion(session, runner_id):
                raise TryLater("A deletion may still be undone.", timedelta(0))
            return  # the runner left while Strava answered
        now = runtime.db.now(session)
        since = retention_start(runtime.settings.strava_retention_days, now=now)
        store.upsert_runs(session, runner_id, within_retention(runs, since), now=now)
        removed_starts = store.delete_runs(session, runner_id, other_ids, now=now)
        store.quarantine(session, runner_id, unreadable, now=now)
        resolve_duplicates(
            session, runner_id, [*(run.started_at for run in runs), *removed_starts]
        )
        if runs:
            wake_after_commit(session, Job.SURVEYS)
        if runs or removed_starts:
            runners.bump_data_version(session, runner_id)
    log.info(
        "runs pulled",
        runner_id=runner_id,
        strava_ids=[activity.id for activity in activities],
    )


def hide_runs(runtime: Runtime, runner_id: int, run_ids: Collection[int]) -> None:
    """Take runs out of sight at once; whether they are gone is asked later."""
    if not run_ids:
        return
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        hidden_starts = store.hide_runs(session, runner_id, run_ids, now=now)
        if hidden_starts:
            resolve_duplicates(session, runner_id, hidden_starts)
            runners.bump_data_version(session, runner_id)
    if hidden_starts:
        log.info("runs hidden", runner_id=runner_id, runs=len(hidden_starts))


def confirm_gone(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Delete a run that Strava no longer shows, or bring it back if it does."""
    try:
        pull_run(runtime, runner_id, run_id, lane=lane)
    except NotOnStrava:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            row_ids = store.find_run_ids(session, runner_id, [run_id])
            retained_runs.insert_retained(session, runtime.sealer, row_ids, now=now)
            removed_starts = store.delete_runs(session, runner_id, [run_id], now=now)
            if removed_starts:
                resolve_duplicates(session, runner_id, removed_starts)
                runners.bump_data_version(session, runner_id)
        log.info("run removed", runner_id=runner_id, strava_id=run_id)


def update_visibility(
    runtime: Runtime, runner_id: int, run_id: int, visibility: Visibility
) -> bool:
    """Note a change of visibility, for which the event itself is enough.

    But for runners whose private runs we look away from: one that becomes private
    goes, and one that comes back has to be read.  Returns False for the latter.
    """
    with runtime.db.transaction() as session:
        is_stored = store.set_visibility(session, runner_id, run_id, visibility)
    if is_stored:
        log.info("visibility changed", runner_id=runner_id, strava_id=run_id)
    is_private = visibility == Visibility.ONLY_ME
    if is_stored != is_private or not private.ignores_private_runs(runtime, runner_id):
        return True
    if is_private:
        private.delete_private_runs(runtime, runner_id)
    return is_private
