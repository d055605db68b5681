"""Take a delivery in: write it down, promise to look at it, return."""

from sqlalchemy import select

from sync.database import insert, wake_after_commit
from sync.inbox.event import Delivery
from sync.models import Event, Runner
from sync.queue import Work
from sync.runtime import Runtime


def receive(runtime: Runtime, delivery: Delivery) -> bool:
    """Keep a delivery; False if it is a repeat or about nobody we know."""
    with runtime.db.transaction() as session:
        known = session.scalar(
            select(Runner.id).where(Runner.athlete_id == delivery.owner_id)
        )
        if known is None:
            return False
        now = runtime.db.now(session)
        kept = session.scalar(
            insert(session, Event)
            .values(
                dedupe_key=delivery.dedupe_key,
                subject=delivery.object_type,
                subject_id=delivery.object_id,
                aspect=delivery.aspect_type,
                athlete_id=delivery.owner_id,
                updates=delivery.updates,
                happened_at=delivery.event_time,
                received_at=now,
                due_at=now,
                attempts=0,
            )
            .on_conflict_do_nothing(index_elements=["dedupe_key"])
            .returning(Event.id)
        )
        if kept is not None:
            wake_after_commit(session, Work.INBOX)
        return kept is not None
