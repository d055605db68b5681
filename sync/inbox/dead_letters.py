"""Events that were given up: another try, when a host asks for it."""

from sqlalchemy import update

from sync.database import wake_after_commit
from sync.models import Event
from sync.queue import Job
from sync.runtime import Runtime
from sync.work_status import NEEDS_RUNNER


def retry_failed(runtime: Runtime) -> int:
    """Make events due again for which there is hope; return how many."""
    with runtime.db.transaction() as session:
        event_ids = session.scalars(
            update(Event)
            .where(Event.parked_for.is_not(None), Event.parked_for.not_in(NEEDS_RUNNER))
            .values(due_at=runtime.db.now(session), attempts=0, parked_for=None)
            .returning(Event.id)
        ).all()
        if event_ids:
            wake_after_commit(session, Job.INBOX)
    return len(event_ids)
