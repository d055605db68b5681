"""Runs that only their runner can see: kept while the runner agrees to it.

A link may show them still after the runner took that back; then we look away, as
if Strava did not show them.
"""

from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import consent_version
from sync.errors import NotOnStrava
from sync.models import Connection, Run
from sync.runners import consents, retained_runs
from sync.runners import store as runners
from sync.runs import store
from sync.runs.duplicates import arrange
from sync.runs.rules import SOURCE
from sync.runtime import Runtime
from sync.strava import NotARun, Page, RemoteRun

log = structlog.get_logger()

ONLY_ME = "only_me"
SEES_PRIVATE = "read_all"  # in what Strava allows


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


def looks_away(runtime: Runtime, runner_id: int) -> bool:
    """Whether the link shows such runs, and this runner does not let us see them."""
    with runtime.db.reading() as session:
        link = session.get(Connection, runner_id)
        shown = link is not None and SEES_PRIVATE in link.scope
        return shown and not runners.agreed(session, runner_id, "private")


def agree(runtime: Runtime, runner_id: int) -> bool:
    """Note that we may see those runs, and look for them.

    Returns whether the link shows them; if not, Strava has to be asked, too.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runners.agree(
            session, runner_id, ["private"], version=consent_version.VERSION, at=now
        )
        link = session.get(Connection, runner_id)
        is_shown = link is not None and SEES_PRIVATE in link.scope
        if is_shown:
            consents.go_on(session, runner_id, now=now)
    log.info("private runs agreed to", runner_id=runner_id)
    return is_shown


def withdraw(runtime: Runtime, runner_id: int) -> None:
    """Take the consent back and delete those runs; answers stay.

    What a worker holds in its hands just now is found by the comparison after it.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runners.withdraw(session, runner_id, "private", at=now)
        _remove(runtime, session, runner_id, now=now)
        consents.go_on(session, runner_id, now=now)


def forget(runtime: Runtime, runner_id: int) -> None:
    """Delete the runs that only the runner can see; answers stay."""
    with runtime.db.transaction() as session:
        _remove(runtime, session, runner_id, now=runtime.db.now(session))


def _remove(
    runtime: Runtime, session: Session, runner_id: int, *, now: datetime
) -> None:
    mine = select(Run.source_id).where(
        Run.runner_id == runner_id,
        Run.source == SOURCE,
        Run.visibility == ONLY_ME,
    )
    source_ids = session.scalars(mine).all()
    held = store.held(session, runner_id, source_ids)
    retained_runs.stand_in(session, runtime.sealer, held, now=now)
    gone = store.remove(session, runner_id, source_ids, now=now)
    if gone:
        arrange(session, runner_id, gone)
        runners.changed(session, runner_id)
    log.info("private runs removed", runner_id=runner_id, runs=len(gone))


def _is_agreed(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.reading() as session:
        return runners.agreed(session, runner_id, "private")
