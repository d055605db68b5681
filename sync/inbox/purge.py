"""Remove events that were settled long ago, or are about nobody here."""

from datetime import timedelta

import structlog
from sqlalchemy import delete, select

from sync.conflicts import retry_conflicts
from sync.inbox import store
from sync.models import Event
from sync.runtime import Runtime

log = structlog.get_logger()

RETENTION = timedelta(days=30)  # a repeat comes within minutes
BATCH_SIZE = 1000


def purge_events(runtime: Runtime) -> None:
    _delete_unlinked(runtime)
    retention = RETENTION
    if runtime.settings.strava_retention_days is not None:
        retention = min(
            RETENTION, timedelta(days=runtime.settings.strava_retention_days)
        )
    removed = BATCH_SIZE
    while removed == BATCH_SIZE:
        removed = _delete_batch(runtime, retention)
        if removed:
            log.info("events purged", events=removed)


@retry_conflicts
def _delete_unlinked(runtime: Runtime) -> None:
    with runtime.db.transaction() as session:
        store.delete_unlinked_events(session)


@retry_conflicts
def _delete_batch(runtime: Runtime, retention: timedelta) -> int:
    with runtime.db.transaction() as session:
        event_ids = session.scalars(
            select(Event.id)
            .where(Event.due_at.is_(None))
            .where(Event.received_at < runtime.db.now(session) - retention)
            .limit(BATCH_SIZE)
        ).all()
        session.execute(delete(Event).where(Event.id.in_(event_ids)))
    return len(event_ids)
