"""Runs that only their runner can see: kept while the runner agrees to it.

A link may show them still after the runner took that back; then we look away, as
if Strava did not show them.
"""

from dataclasses import replace

import structlog
from sqlalchemy import select

from sync.errors import NotOnStrava
from sync.models import Run
from sync.runners import own_log
from sync.runners import store as runners
from sync.runs import store
from sync.runs.recordings import arrange
from sync.runs.rules import SOURCE
from sync.runtime import Runtime
from sync.strava import NotARun, Page, RemoteRun

log = structlog.get_logger()

ONLY_ME = "only_me"


def page_for(runtime: Runtime, runner_id: int, page: Page) -> Page:
    """Return the page with the runs that this runner lets us see."""
    others = tuple(run for run in page.runs if run.visibility != ONLY_ME)
    if len(others) == len(page.runs) or _is_agreed(runtime, runner_id):
        return page
    return replace(page, runs=others)


def run_for(
    runtime: Runtime, runner_id: int, found: RemoteRun | NotARun
) -> RemoteRun | NotARun:
    """Return the run, or raise `NotOnStrava` if this runner does not let us see it."""
    is_private = isinstance(found, RemoteRun) and found.visibility == ONLY_ME
    if is_private and not _is_agreed(runtime, runner_id):
        raise NotOnStrava("Only the runner may see this run.")
    return found


def forget(runtime: Runtime, runner_id: int) -> None:
    """Delete the runs that only the runner can see; answers stay."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        mine = select(Run.source_id).where(
            Run.runner_id == runner_id,
            Run.source == SOURCE,
            Run.visibility == ONLY_ME,
        )
        source_ids = session.scalars(mine).all()
        held = store.held(session, runner_id, source_ids)
        own_log.stand_in(session, runtime.sealer, held, now=now)
        gone = store.remove(session, runner_id, source_ids, now=now)
        if gone:
            arrange(session, runner_id, gone)
            runners.changed(session, runner_id)
    log.info("private runs removed", runner_id=runner_id, runs=len(gone))


def _is_agreed(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.reading() as session:
        return runners.agreed(session, runner_id, "private")
