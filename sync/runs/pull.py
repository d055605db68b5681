"""Bring our copy of single runs up to date with Strava's."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from sync.database import wake_after_commit
from sync.errors import NotOnStrava, TryLater
from sync.queue import Work
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runners.strava_call import ask
from sync.runs import private, store
from sync.runs.duplicates import arrange
from sync.runs.rules import kept_since, young_enough
from sync.runtime import Runtime
from sync.strava import Lane, NotARun, RemoteRun, Unreadable

log = structlog.get_logger()

_A_MOMENT = timedelta(seconds=1)


def pull(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Read one run (one request) and store what Strava says now.

    Raises `NotOnStrava` when Strava does not show it (yet, or any more).
    """
    found = ask(
        runtime, runner_id, lambda token: runtime.strava.run(token, run_id, lane=lane)
    )
    keep(runtime, runner_id, [private.run_for(runtime, runner_id, found)])


def pull_together(
    runtime: Runtime, runner_id: int, run_ids: Collection[int], *, lane: Lane
) -> set[int]:
    """Bring several runs up to date with one list read; return those it showed."""
    with runtime.db.reading() as session:
        starts = store.starts(session, runner_id, run_ids)
    # New runs are on the newest page; known ones may be far from it.
    before = max(starts) + _A_MOMENT if len(starts) == len(run_ids) else None
    page = ask(
        runtime,
        runner_id,
        lambda token: runtime.strava.page(token, lane=lane, before=before),
    )
    page = private.page_for(runtime, runner_id, page)
    shown: list[RemoteRun | NotARun] = [*page.runs, *page.others]
    found = [one for one in shown if one.id in run_ids]
    unreadable = [one for one in page.unreadable if one.id in run_ids]
    keep(runtime, runner_id, found, unreadable=unreadable)
    return {one.id for one in found} | {one.id for one in unreadable}


def keep(
    runtime: Runtime,
    runner_id: int,
    found: Sequence[RemoteRun | NotARun],
    *,
    unreadable: Sequence[Unreadable] = (),
) -> None:
    """Store runs, and drop our copies of what are runs no longer.

    Raises `TryLater` while a deletion can still be undone.
    """
    runs = [one for one in found if isinstance(one, RemoteRun)]
    others = [one.id for one in found if isinstance(one, NotARun)]
    with runtime.db.transaction() as session:
        if not runners.is_linked(session, runner_id):
            if runners.may_be_back(session, runner_id):
                raise TryLater("A deletion may still be undone.", timedelta(0))
            return  # the runner left while Strava answered
        now = runtime.db.now(session)
        since = kept_since(runtime.settings.strava_retention_days, now=now)
        store.save(session, runner_id, young_enough(runs, since), now=now)
        gone = store.remove(session, runner_id, others, now=now)
        store.set_aside(session, runner_id, unreadable, now=now)
        arrange(session, runner_id, [*(run.started_at for run in runs), *gone])
        if runs:
            wake_after_commit(session, Work.SURVEYS)
        if runs or gone:
            runners.changed(session, runner_id)
    log.info(
        "runs pulled",
        runner_id=runner_id,
        strava_ids=[one.id for one in found],
    )


def hide(runtime: Runtime, runner_id: int, run_ids: Collection[int]) -> None:
    """Take runs out of sight at once; whether they are gone is asked later."""
    if not run_ids:
        return
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        hidden = store.hide(session, runner_id, run_ids, now=now)
        if hidden:
            arrange(session, runner_id, hidden)
            runners.changed(session, runner_id)
    if hidden:
        log.info("runs hidden", runner_id=runner_id, runs=len(hidden))


def confirm_gone(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Delete a run that Strava no longer shows, or bring it back if it does."""
    try:
        pull(runtime, runner_id, run_id, lane=lane)
    except NotOnStrava:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            held = store.held(session, runner_id, [run_id])
            retained_runs.stand_in(session, runtime.sealer, held, now=now)
            gone = store.remove(session, runner_id, [run_id], now=now)
            if gone:
                arrange(session, runner_id, gone)
                runners.changed(session, runner_id)
        log.info("run removed", runner_id=runner_id, strava_id=run_id)


def show(runtime: Runtime, runner_id: int, run_id: int, visibility: str) -> bool:
    """Note a change of visibility, for which the event itself is enough.

    But for runners whose private runs we look away from: one that becomes private
    goes, and one that comes back has to be read.  Returns False for the latter.
    """
    with runtime.db.transaction() as session:
        is_held = store.show(session, runner_id, run_id, visibility)
    if is_held:
        log.info("visibility changed", runner_id=runner_id, strava_id=run_id)
    is_private = visibility == private.ONLY_ME
    if is_held != is_private or not private.looks_away(runtime, runner_id):
        return True
    if is_private:
        private.forget(runtime, runner_id)
    return is_private
