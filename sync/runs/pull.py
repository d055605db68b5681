"""Bring our copy of single runs up to date with Strava's."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from sync.conflicts import retry_conflicts
from sync.errors import NotOnStrava
from sync.runners.strava_call import call_strava
from sync.runs import private, store
from sync.runs.changes import build_page, remove_runs, save_pulled
from sync.runs.reconcile_rules import EARLIEST, recent_range
from sync.runs.rules import differs
from sync.runtime import Runtime
from sync.strava import Activity, ActivityPage, Lane, UnreadableRecord

log = structlog.get_logger()

_ONE_SECOND = timedelta(seconds=1)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PulledList:
    """What one list read said: the ids it showed, and since when it is complete."""

    shown_ids: set[int]
    since: datetime


def pull_run(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> bool:
    """Read one run (one request) and store what Strava says now.

    Returns False for a record that makes no sense: it is in quarantine.  Raises
    `NotOnStrava` when Strava does not show it (yet, or any more).
    """
    activity = pull_activity(runtime, runner_id, run_id, lane=lane)
    return not isinstance(activity, UnreadableRecord)


def pull_activity(
    runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane
) -> Activity:
    """Bring our copy of one run up to date, and return what Strava says of it.

    Raises `NotOnStrava` as `pull_run` does.
    """
    activity = call_strava(
        runtime, runner_id, lambda token: runtime.strava.run(token, run_id, lane=lane)
    )
    visible = private.require_visible(runtime, runner_id, activity)
    save_pulled(runtime, runner_id, build_page(visible))
    return visible


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
    save_pulled(runtime, runner_id, wanted)
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


def confirm_gone(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> bool:
    """Delete a run that Strava no longer shows, or bring it back if it does.

    Returns whether it is gone.
    """
    try:
        pull_run(runtime, runner_id, run_id, lane=lane)
    except NotOnStrava:
        _remove_run(runtime, runner_id, run_id)
        log.info("run removed", runner_id=runner_id, strava_id=run_id)
        return True
    return False


@retry_conflicts
def _remove_run(runtime: Runtime, runner_id: int, run_id: int) -> None:
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        remove_runs(runtime, session, runner_id, [run_id], now=now)
