"""Remove runs that may no longer be kept; what is the runner's own stays."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, delete, select

from sync.conflicts import retry_conflicts
from sync.database import lock_runner
from sync.models import QuarantinedRecord, Run
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runs.rules import SOURCE, retention_start
from sync.runs.store import began_before
from sync.runtime import Runtime

log = structlog.get_logger()

# What Strava stopped showing is gone from here within two days, asked or not;
# reconciling brings back what was hidden wrongly.
HIDDEN_RETENTION = timedelta(hours=40)
BATCH_SIZE = 500


def purge_runs(runtime: Runtime) -> None:
    """Purge what stayed hidden, and what is older than the host may keep."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
    _purge_matching(runtime, "hidden", Run.hidden_at < now - HIDDEN_RETENTION)
    since = retention_start(runtime.settings.strava_retention_days, now=now)
    if since is not None:
        _purge_matching(runtime, "too old to keep", began_before(since))
        _purge_quarantined(runtime, since)


@retry_conflicts
def _purge_quarantined(runtime: Runtime, since: datetime) -> None:
    with runtime.db.transaction() as session:
        session.execute(delete(QuarantinedRecord).where(QuarantinedRecord.at < since))


def _purge_matching(
    runtime: Runtime, reason: str, condition: ColumnElement[bool]
) -> None:
    while True:
        count = _purge_batch(runtime, condition)
        if count:
            log.info("runs purged", reason=reason, runs=count)
        if count < BATCH_SIZE:
            return


@retry_conflicts
def _purge_batch(runtime: Runtime, condition: ColumnElement[bool]) -> int:
    with runtime.db.transaction() as session:
        rows = session.execute(
            select(Run.id, Run.runner_id)
            .where(Run.source == SOURCE, condition)
            .order_by(Run.id)
            .limit(BATCH_SIZE)
        ).all()
        runner_ids = sorted({row.runner_id for row in rows})
        for runner_id in runner_ids:
            lock_runner(session, runner_id)
        now = runtime.db.now(session)
        for runner_id in runner_ids:
            is_own = Run.runner_id == runner_id
            row_ids = [row.id for row in rows if row.runner_id == runner_id]
            # What has come back into sight meanwhile stays.
            run_ids = session.scalars(
                select(Run.id).where(is_own, Run.id.in_(row_ids), condition)
            ).all()
            retained_runs.insert_retained(
                session, runtime.sealer, runner_id, run_ids, now=now
            )
            session.execute(delete(Run).where(is_own, Run.id.in_(run_ids)))
            runners.bump_data_version(session, runner_id)
    return len(rows)
