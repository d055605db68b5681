"""Bring our copy of single runs up to date with Strava's."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import select

from sync.conflicts import retry_conflicts
from sync.errors import NotOnStrava, TryLater
from sync.models import Run
from sync.runners import store as runners
from sync.runners.strava_call import call_strava
from sync.runs import private, store
from sync.runs.changes import (
    RunChanges,
    apply_changes,
    build_page,
    remove_runs,
    save_or_quarantine,
)
from sync.runs.rules import SOURCE
from sync.runtime import Runtime
from sync.strava import ActivityPage, Lane, UnreadableRecord
from sync.vocabulary import Visibility

log = structlog.get_logger()

_ONE_SECOND = timedelta(seconds=1)


def pull_run(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> bool:
    """Read one run (one request) and store what Strava says now.

    Returns False for a record that makes no sense: it is in quarantine.  Raises
    `NotOnStrava` when Strava does not show it (yet, or any more).
    """
    activity = call_strava(
        runtime, runner_id, lambda token: runtime.strava.run(token, run_id, lane=lane)
    )
    visible = private.require_visible(runtime, runner_id, activity)
    save = partial(store_page, runtime, runner_id)
    save_or_quarantine(runtime, runner_id, build_page(visible), save)
    return not isinstance(visible, UnreadableRecord)


def pull_batch(
    runtime: Runtime, runner_id: int, run_ids: Collection[int], *, lane: Lane
) -> set[int]:
    """Bring several runs up to date with one list read; return those it showed.

    What the list does not show may still be there: absence proves nothing.
    """
    with runtime.db.read_only() as session:
        starts = session.scalars(
            select(Run.started_at).where(
                Run.runner_id == runner_id,
                Run.source == SOURCE,
                Run.source_id.in_(run_ids),
            )
        ).all()
    # New runs are on the newest page; known ones may be far from it.
    before = max(starts) + _ONE_SECOND if len(starts) == len(run_ids) else None
    page = call_strava(
        runtime,
        runner_id,
        lambda token: runtime.strava.page(token, lane=lane, before=before),
    )
    page = private.filter_page(runtime, runner_id, page)
    requested = replace(
        page,
        runs=tuple(run for run in page.runs if run.id in run_ids),
        other_activities=tuple(a for a in page.other_activities if a.id in run_ids),
        unreadable=tuple(record for record in page.unreadable if record.id in run_ids),
    )
    save = partial(store_page, runtime, runner_id)
    save_or_quarantine(runtime, runner_id, requested, save)
    return {
        *(run.id for run in requested.runs),
        *(activity.id for activity in requested.other_activities),
        *(record.id for record in requested.unreadable),
    }


@retry_conflicts
def store_page(runtime: Runtime, runner_id: int, page: ActivityPage) -> None:
    """Store runs, and drop our copies of what are runs no longer.

    Raises `TryLater` while a deletion can still be undone.
    """
    changes = RunChanges(
        runs=page.runs,
        other_ids=[activity.id for activity in page.other_activities],
        unreadable=page.unreadable,
    )
    with runtime.db.transaction(runner_id=runner_id) as session:
        if not runners.is_linked(session, runner_id):
            if runners.may_undo_deletion(session, runner_id):
                raise TryLater("A deletion may still be undone.", timedelta(0))
            return  # the runner left while Strava answered
        now = runtime.db.now(session)
        apply_changes(runtime, session, runner_id, changes, now=now)
    log.info(
        "runs pulled",
        runner_id=runner_id,
        strava_ids=[*(run.id for run in page.runs), *changes.other_ids],
    )


@retry_conflicts
def hide_runs(runtime: Runtime, runner_id: int, run_ids: Collection[int]) -> None:
    """Take runs out of sight at once; whether they are gone is asked later."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        changes = RunChanges(hidden_ids=run_ids)
        now = runtime.db.now(session)
        apply_changes(runtime, session, runner_id, changes, now=now)
    log.info("runs hidden", runner_id=runner_id, strava_ids=list(run_ids))


def confirm_gone(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Delete a run that Strava no longer shows, or bring it back if it does."""
    try:
        pull_run(runtime, runner_id, run_id, lane=lane)
    except NotOnStrava:
        _remove_run(runtime, runner_id, run_id)
        log.info("run removed", runner_id=runner_id, strava_id=run_id)


@retry_conflicts
def _remove_run(runtime: Runtime, runner_id: int, run_id: int) -> None:
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        remove_runs(runtime, session, runner_id, [run_id], now=now)


@retry_conflicts
def update_visibility(
    runtime: Runtime, runner_id: int, run_id: int, visibility: Visibility
) -> bool:
    """Store a change of visibility, for which the event itself is enough.

    Runners whose private runs we ignore are the exception: a run that becomes
    private goes, and one that comes back has to be read.  Returns False for the
    latter.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        is_stored = store.set_visibility(session, runner_id, run_id, visibility)
    if is_stored:
        log.info("visibility changed", runner_id=runner_id, strava_id=run_id)
    is_private = visibility == Visibility.ONLY_ME
    if is_stored != is_private or not private.ignores_private_runs(runtime, runner_id):
        return True
    if is_private:
        private.delete_private_runs(runtime, runner_id)
    return is_private
