"""Remove events that were settled long ago."""

from datetime import timedelta

from sqlalchemy import delete, select

from sync.models import Event
from sync.runtime import Runtime

KEPT = timedelta(days=30)  # a repeat comes within minutes
AT_ONCE = 1000


def tidy(runtime: Runtime) -> None:
    removed = AT_ONCE
    while removed == AT_ONCE:
        with runtime.db.transaction() as session:
            old = session.scalars(
                select(Event.id)
                .where(Event.due_at.is_(None))
                .where(Event.received_at < runtime.db.now(session) - KEPT)
                .limit(AT_ONCE)
            ).all()
            session.execute(delete(Event).where(Event.id.in_(old)))
            removed = len(old)
