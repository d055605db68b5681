"""Events that were given up: another try, when a host asks for it."""

from sqlalchemy import update

from sync.database import wake_after_commit
from sync.models import Event
from sync.queue import Work
from sync.runtime import Runtime
from sync.work_status import HOPELESS


def retry(runtime: Runtime) -> int:
    """Make events due again for which there is hope; return how many."""
    with runtime.db.transaction() as session:
        again = session.scalars(
            update(Event)
            .where(Event.parked_for.is_not(None), Event.parked_for.not_in(HOPELESS))
            .values(due_at=runtime.db.now(session), attempts=0, parked_for=None)
            .returning(Event.id)
        ).all()
        if again:
            wake_after_commit(session, Work.INBOX)
    return len(again)
