"""Records that could not be read or stored: counted for the host, tried again."""

from dataclasses import dataclass

import structlog
from sqlalchemy import delete, func, select

from sync.conflicts import retry_conflicts
from sync.errors import MoodmilesError, NotOnStrava
from sync.models import QuarantinedRecord
from sync.runs import pull
from sync.runtime import Runtime
from sync.strava import Lane

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class QuarantineRetry:
    """How many records were tried again, and how many are still unreadable."""

    tried: int
    unreadable: int


def count_quarantined(runtime: Runtime) -> int:
    """Return how many records wait for another try."""
    with runtime.db.read_only() as session:
        total = session.scalar(select(func.count()).select_from(QuarantinedRecord))
    return total or 0


def retry_quarantined(runtime: Runtime) -> QuarantineRetry:
    """Read every record again, and forget those that are stored or gone now."""
    with runtime.db.read_only() as session:
        records = session.scalars(
            select(QuarantinedRecord).order_by(QuarantinedRecord.at)
        ).all()
    unreadable = 0
    for record in records:
        try:
            is_readable = pull.pull_run(
                runtime, record.runner_id, record.source_id, lane=Lane.RECONCILE
            )
        except NotOnStrava:
            is_readable = True  # it is gone, and so is the trouble with it
        except MoodmilesError as error:
            log.warning(
                "record still cannot be read",
                runner_id=record.runner_id,
                strava_id=record.source_id,
                error=type(error).__name__,
            )
            is_readable = False
        if not is_readable:
            unreadable += 1
            continue
        unreadable += not _delete_record(runtime, record)
    return QuarantineRetry(len(records), unreadable)


@retry_conflicts
def _delete_record(runtime: Runtime, record: QuarantinedRecord) -> bool:
    """Delete the record; False if it was quarantined anew, or is gone."""
    with runtime.db.transaction() as session:
        deleted_id = session.scalar(
            delete(QuarantinedRecord)
            # One that was quarantined anew just now has another time.
            .where(
                QuarantinedRecord.runner_id == record.runner_id,
                QuarantinedRecord.id == record.id,
                QuarantinedRecord.at == record.at,
            )
            .returning(QuarantinedRecord.id)
        )
    return deleted_id is not None
