"""The number of our subscription: events that name another are not ours."""

from sqlalchemy import delete, select

from sync import counters
from sync.conflicts import retry_conflicts
from sync.database import lock_name
from sync.inbox.receive import SIGNATURE_COUNTER
from sync.models import Subscription
from sync.runtime import Runtime


@retry_conflicts
def save(runtime: Runtime, subscription_id: int) -> None:
    """Take events of this subscription, and of no other, from now on."""
    with runtime.db.transaction() as session:
        # Of two that are saved at once the later one stays, alone.
        lock_name(session, Subscription.__tablename__)
        if session.get(Subscription, subscription_id) is None:
            # What was seen of signatures so far was another subscription's.
            counters.reset(session, SIGNATURE_COUNTER)
        session.execute(delete(Subscription))
        session.add(Subscription(id=subscription_id, made_at=runtime.db.now(session)))


@retry_conflicts
def clear(runtime: Runtime) -> None:
    """Take events of any subscription: none of them is known to be ours."""
    with runtime.db.transaction() as session:
        session.execute(delete(Subscription))


def load_id(runtime: Runtime) -> int | None:
    """Return the number of the subscription whose events are taken; None takes any."""
    with runtime.db.read_only() as session:
        return session.scalar(select(Subscription.id))
