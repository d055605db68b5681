"""Bring our copy of single runs up to date with Strava's."""

import structlog

from sync.database import wake_after_commit
from sync.errors import NotOnStrava
from sync.queue import Work
from sync.runners import store as runners
from sync.runners.strava_call import ask
from sync.runs import store
from sync.runtime import Runtime
from sync.strava import Lane, NotARun, RemoteRun

log = structlog.get_logger()


def pull(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Read one run (one request) and store what Strava says now.

    Raises `NotOnStrava` when Strava does not show it (yet, or any more).
    """
    found = ask(
        runtime, runner_id, lambda token: runtime.strava.run(token, run_id, lane=lane)
    )
    keep(runtime, runner_id, found)


def keep(runtime: Runtime, runner_id: int, found: RemoteRun | NotARun) -> None:
    """Store a run, or drop our copy of what is a run no longer."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        if isinstance(found, RemoteRun):
            is_new = store.save(session, runner_id, [found], now=now) > 0
            changed = True
            wake_after_commit(session, Work.SURVEYS)
        else:
            is_new = False
            changed = store.remove(session, runner_id, [found.id], now=now) > 0
        if changed:
            runners.changed(session, runner_id)
    log.info("run pulled", runner_id=runner_id, strava_id=found.id, new=is_new)


def hide(runtime: Runtime, runner_id: int, run_ids: list[int]) -> None:
    """Take runs out of sight at once; whether they are gone is asked later."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        if store.hide(session, runner_id, run_ids, now=now):
            runners.changed(session, runner_id)


def confirm_gone(runtime: Runtime, runner_id: int, run_id: int, *, lane: Lane) -> None:
    """Delete a run that Strava no longer shows, or bring it back if it does."""
    try:
        pull(runtime, runner_id, run_id, lane=lane)
    except NotOnStrava:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            if store.remove(session, runner_id, [run_id], now=now):
                runners.changed(session, runner_id)
        log.info("run removed", runner_id=runner_id, strava_id=run_id)


def show(runtime: Runtime, runner_id: int, run_id: int, visibility: str) -> None:
    """Note a change of visibility, for which the event itself is enough."""
    with runtime.db.transaction() as session:
        store.show(session, runner_id, run_id, visibility)
