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
from sync.conflicts import retry_conflicts
from sync.errors import NotOnStrava
from sync.models import Connection, Run
from sync.runners import consents
from sync.runners import store as runners
from sync.runners.rules import may_read_private
from sync.runs.changes import remove_runs
from sync.runs.rules import SOURCE
from sync.runtime import Runtime
from sync.strava import Activity, ActivityPage, RemoteRun
from sync.vocabulary import ConsentKind, Visibility

log = structlog.get_logger()


def filter_page(runtime: Runtime, runner_id: int, page: ActivityPage) -> ActivityPage:
    """Return the page with the runs that this runner lets us see."""
    visible_runs = tuple(
        run for run in page.runs if run.visibility != Visibility.ONLY_ME
    )
    if len(visible_runs) == len(page.runs) or _has_consent(runtime, runner_id):
        return page
    return replace(page, runs=visible_runs)


def require_visible(runtime: Runtime, runner_id: int, activity: Activity) -> Activity:
    """Return the run, or raise `NotOnStrava` if this runner does not let us see it."""
    is_private = (
        isinstance(activity, RemoteRun) and activity.visibility == Visibility.ONLY_ME
    )
    if is_private and not _has_consent(runtime, runner_id):
        raise NotOnStrava("Only the runner may see this run.")
    return activity


def ignores_private_runs(session: Session, runner_id: int, scope: str) -> bool:
    """Whether a link of this scope shows runs that its runner does not let us see."""
    return may_read_private(scope) and not runners.has_consent(
        session, runner_id, ConsentKind.PRIVATE
    )


@retry_conflicts
def grant_consent(runtime: Runtime, runner_id: int) -> bool:
    """Note that we may see those runs, and look for them.

    Returns whether the link shows them; if not, Strava has to be asked, too.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        runners.record_consents(
            session,
            runner_id,
            [ConsentKind.PRIVATE],
            version=consent_version.VERSION,
            at=now,
        )
        link = session.get(Connection, runner_id)
        is_shown = link is not None and may_read_private(link.scope)
        if is_shown:
            consents.resume_collection(session, runner_id, now=now)
    log.info("private runs agreed to", runner_id=runner_id)
    return is_shown


@retry_conflicts
def withdraw_consent(runtime: Runtime, runner_id: int) -> None:
    """Take the consent back and delete those runs; answers stay.

    Runs that a worker is about to store are found by the next reconciliation.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        runners.withdraw_consent(session, runner_id, ConsentKind.PRIVATE, at=now)
        _delete_private_runs(runtime, session, runner_id, now=now)
        consents.resume_collection(session, runner_id, now=now)


@retry_conflicts
def delete_private_runs(runtime: Runtime, runner_id: int) -> None:
    """Delete the runs that only the runner can see; answers stay."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        _delete_private_runs(runtime, session, runner_id, now=runtime.db.now(session))


def _delete_private_runs(
    runtime: Runtime, session: Session, runner_id: int, *, now: datetime
) -> None:
    own_private_runs = select(Run.source_id).where(
        Run.runner_id == runner_id,
        Run.source == SOURCE,
        # A word that a newer version has stored may mean as much.
        Run.visibility.not_in([Visibility.EVERYONE, Visibility.FOLLOWERS_ONLY]),
    )
    source_ids = session.scalars(own_private_runs).all()
    removed = remove_runs(runtime, session, runner_id, source_ids, now=now)
    log.info("private runs removed", runner_id=runner_id, runs=removed)


def _has_consent(runtime: Runtime, runner_id: int) -> bool:
    with runtime.db.read_only() as session:
        return runners.has_consent(session, runner_id, ConsentKind.PRIVATE)
