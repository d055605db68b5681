"""Take a delivery in: write it down, promise to look at it, return."""

from sync import counters
from sync.inbox import store, subscription
from sync.inbox.event import Delivery
from sync.inbox.signature import verdict
from sync.queue import Work
from sync.runtime import Runtime


def receive(runtime: Runtime, delivery: Delivery) -> bool:
    """Keep a delivery; False if it is a repeat or not about anybody here."""
    if store.keep(runtime.db, delivery):
        runtime.queue.wake(Work.INBOX)
        return True
    _count_if_odd(runtime, delivery)
    return False


def _count_if_odd(runtime: Runtime, delivery: Delivery) -> None:
    """Say why a delivery was not kept, unless it is a mere repeat."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        if not subscription.is_ours(session, delivery.subscription_id):
            counters.count(session, "event of another subscription", at=now)
        elif not store.knows(session, delivery.owner_id):
            counters.count(session, "event about nobody here", at=now)


def receive_unknown(runtime: Runtime) -> None:
    """Count a delivery of a kind that we do not know."""
    _count(runtime, "event of an unknown kind")


def is_genuine(runtime: Runtime, header: str | None, body: bytes) -> bool:
    """Whether to take a delivery, as far as its signature goes.

    Under `observe` every verdict is counted and everything is taken; under
    `enforce` only what is rightly signed.
    """
    mode = runtime.settings.strava_signature
    if mode == "off":
        return True
    found = verdict(
        header,
        body,
        secret=runtime.settings.secret("strava_signing_secret"),
        now_s=runtime.now().timestamp(),
    )
    if mode == "observe" or found != "right":
        _count(runtime, f"signature {found}")
    return mode == "observe" or found == "right"


def _count(runtime: Runtime, name: str) -> None:
    with runtime.db.transaction() as session:
        counters.count(session, name, at=runtime.db.now(session))
