"""Records that could not be read: counted for the host, and tried again."""

import structlog
from sqlalchemy import delete, func, select

from sync.errors import MoodmilesError, NotOnStrava
from sync.models import QuarantinedRecord
from sync.runs import pull
from sync.runtime import Runtime
from sync.strava import Lane

log = structlog.get_logger()


def count_quarantined(runtime: Runtime) -> int:
    """Return how many records wait for another try."""
    with runtime.db.read_only() as session:
        total = session.scalar(select(func.count()).select_from(QuarantinedRecord))
    return total or 0


def retry_quarantined(runtime: Runtime) -> tuple[int, int]:
    """Read every record again; return how many were tried and how many are left."""
    with runtime.db.read_only() as session:
        records = session.execute(
            select(
                QuarantinedRecord.id,
                QuarantinedRecord.runner_id,
                QuarantinedRecord.source_id,
            ).order_by(QuarantinedRecord.at)
        ).all()
    return len(records), sum(
        not _retry_record(runtime, row_id, runner_id, source_id)
        for row_id, runner_id, source_id in records
    )


def _retry_record(
    runtime: Runtime, row_id: int, runner_id: int, source_id: int
) -> bool:
    try:
        pull.pull_run(runtime, runner_id, source_id, lane=Lane.RECONCILE)
    except NotOnStrava:
        pass  # it is gone, and so is the trouble with it
    except MoodmilesError as error:
        log.warning(
            "record still cannot be read",
            runner_id=runner_id,
            strava_id=source_id,
            error=type(error).__name__,
        )
        return False
    with runtime.db.transaction() as session:
        session.execute(delete(QuarantinedRecord).where(QuarantinedRecord.id == row_id))
    return True
