"""The number of our subscription: events that name another are not ours."""

from sqlalchemy import delete

from sync import counters
from sync.inbox.signature import COUNTER_PREFIX
from sync.models import Subscription
from sync.runtime import Runtime


def save(runtime: Runtime, subscription_id: int) -> None:
    """Take events of this subscription, and of no other, from now on."""
    with runtime.db.transaction() as session:
        if session.get(Subscription, subscription_id) is None:
            # What was seen of signatures so far was another subscription's.
            counters.reset(session, COUNTER_PREFIX)
        session.execute(delete(Subscription))
        session.add(Subscription(id=subscription_id, made_at=runtime.db.now(session)))


def clear(runtime: Runtime) -> None:
    """Take events of any subscription: none of them is known to be ours."""
    with runtime.db.transaction() as session:
        session.execute(delete(Subscription))
