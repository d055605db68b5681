"""Remove runs that may no longer be kept; what is the runner's own stays."""

from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from sync.models import Run, SetAside
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runs.rules import SOURCE, kept_since
from sync.runtime import Runtime

log = structlog.get_logger()

# What Strava stopped showing is gone from here within two days, asked or not;
# the sweep brings back what was hidden wrongly.
HIDDEN_FOR = timedelta(hours=40)
AT_ONCE = 500


def tidy(runtime: Runtime) -> None:
    """Purge what stayed hidden, and what is older than the host may keep."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
    _purge(runtime, "hidden", Run.hidden_at < now - HIDDEN_FOR)
    since = kept_since(runtime.settings.strava_retention_days, now=now)
    if since is not None:
        _purge(runtime, "too old to keep", Run.started_at < since)
        with runtime.db.transaction() as session:
            session.execute(delete(SetAside).where(SetAside.at < since))


def _purge(runtime: Runtime, reason: str, which: ColumnElement[bool]) -> None:
    while True:
        with runtime.db.transaction() as session:
            removed = _remove_some(runtime, session, which)
        if removed:
            log.info("runs purged", reason=reason, runs=removed)
        if removed < AT_ONCE:
            return


def _remove_some(runtime: Runtime, session: Session, which: ColumnElement[bool]) -> int:
    rows = session.execute(
        select(Run.id, Run.runner_id)
        .where(Run.source == SOURCE, which)
        .order_by(Run.id)
        .limit(AT_ONCE)
    ).all()
    going = [row.id for row in rows]
    retained_runs.stand_in(session, runtime.sealer, going, now=runtime.db.now(session))
    session.execute(delete(Run).where(Run.id.in_(going)))
    for runner_id in sorted({row.runner_id for row in rows}):
        runners.changed(session, runner_id)
    return len(rows)
