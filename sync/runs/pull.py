"""Bring our copy of single runs up to date with Strava's."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from sync.errors import NotOnStrava, TryLater
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
from sync.runs.reconcile_rules import EARLIEST, recent_range
from sync.runs.rules import differs
from sync.runtime import Runtime
from sync.strava import ActivityPage, Lane

log = structlog.get_logger()

_ONE_SECOND = timedelta(seconds=1)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PulledList:
    """What one list read said: the ids it showed, and since when it is complete."""

    shown_ids: set[int]
    since: datetime


def pull_run(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> bool:
    """Read one run (one request), store what Strava says now, and return True.

    Raises `NotOnStrava` when Strava does not show it (yet, or any more).
    """
    activity = call_strava(
        runtime, runner_id, lambda token: runtime.strava.run(token, run_id, lane=lane)
    )
    visible = private.require_visible(runtime, runner_id, activity)
    save = partial(store_page, runtime, runner_id)
    save_or_quarantine(runtime, runner_id, build_page(visible), save)
    return True


def pull_list(
    runtime: Runtime,
    runner_id: int,
    run_ids: Collection[int],
    *,
    last_start: datetime | None,
    takes_all: bool,
) -> PulledList:
    """Bring several runs up to date with one list read, and say what it showed.

    It reads the newest page, or the one that ends with `last_start`.  `takes_all`
    stores whatever is new or different on it.  What the list does not show may still
    be there: absence proves nothing.
    """
    before = last_start + _ONE_SECOND if last_start else None
    page = call_strava(
        runtime,
        runner_id,
        lambda token: runtime.strava.page(token, lane=Lane.NEW_RUN, before=before),
    )
    page = private.filter_page(runtime, runner_id, page)
    wanted_ids = set(run_ids)
    if takes_all and page.runs:
        wanted_ids |= _find_changed(runtime, runner_id, page)
    wanted = replace(
        page,
        runs=tuple(run for run in page.runs if run.id in wanted_ids),
        other_activities=tuple(a for a in page.other_activities if a.id in wanted_ids),
        unreadable=tuple(record for record in page.unreadable if record.id in run_ids),
    )
    save = partial(store_page, runtime, runner_id)
    save_or_quarantine(runtime, runner_id, wanted, save)
    listed_ids = {
        *(run.id for run in page.runs),
        *(activity.id for activity in page.other_activities),
        *(record.id for record in page.unreadable),
    }
    covered = recent_range(page, since=EARLIEST, until=before or _LATEST)
    return PulledList(listed_ids.intersection(run_ids), covered.since)


def _find_changed(runtime: Runtime, runner_id: int, page: ActivityPage) -> set[int]:
    """Return the ids of the page's runs that are new to us, hidden or different."""
    starts = [run.started_at for run in page.runs]
    ids = [run.id for run in page.runs]
    with runtime.db.read_only() as session:
        known_rows = store.load_known_rows(
            session, runner_id, min(starts), max(starts), ids
        )
    rows = {row["source_id"]: row for row in known_rows}
    return {
        run.id
        for run in page.runs
        if run.id not in rows
        or rows[run.id]["hidden_at"] is not None
        or differs(rows[run.id], run)
    }


def store_page(runtime: Runtime, runner_id: int, page: ActivityPage) -> None:
    """Store runs, and drop our copies of what are runs no longer.

    Raises `TryLater` while a deletion can still be undone.
    """
    changes = RunChanges(
        runs=page.runs,
        other_ids=[activity.id for activity in page.other_activities],
        unreadable=page.unreadable,
    )
    with runtime.db.transaction() as session:
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


def confirm_gone(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> bool:
    """Delete a run that Strava no longer shows, or bring it back if it does.

    Returns whether Strava shows it.
    """
    try:
        return pull_run(runtime, runner_id, run_id, lane=lane)
    except NotOnStrava:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            remove_runs(runtime, session, runner_id, [run_id], now=now)
        log.info("run removed", runner_id=runner_id, strava_id=run_id)
        return False
