"""Remove events that were settled long ago, or are about nobody here."""

from datetime import timedelta

import structlog
from sqlalchemy import delete, select

from sync.inbox import store
from sync.models import Event
from sync.runtime import Runtime

log = structlog.get_logger()

KEPT = timedelta(days=30)  # a repeat comes within minutes
AT_ONCE = 1000


def tidy(runtime: Runtime) -> None:
    with runtime.db.transaction() as session:
        store.forget_strangers(session)
    kept = KEPT
    if runtime.settings.strava_retention_days is not None:
        kept = min(KEPT, timedelta(days=runtime.settings.strava_retention_days))
    removed = AT_ONCE
    while removed == AT_ONCE:
        with runtime.db.transaction() as session:
            old = session.scalars(
                select(Event.id)
                .where(Event.due_at.is_(None))
                .where(Event.received_at < runtime.db.now(session) - kept)
                .limit(AT_ONCE)
            ).all()
            session.execute(delete(Event).where(Event.id.in_(old)))
            removed = len(old)
        if removed:
            log.info("events purged", events=removed)
