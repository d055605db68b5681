"""Receive a delivery: check its signature, store it, wake a worker."""

from sync import counters
from sync.conflicts import retry_conflicts
from sync.inbox import store, subscription
from sync.inbox.event import WebhookDelivery
from sync.inbox.signature import judge_signature
from sync.queue import Job
from sync.runtime import Runtime


@retry_conflicts
def receive_delivery(runtime: Runtime, delivery: WebhookDelivery) -> bool:
    """Store a delivery; False if it is a repeat or of no linked athlete."""
    if store.save_delivery(runtime.db, delivery):
        runtime.queue.wake(Job.INBOX)
        return True
    # Why it was not kept, unless it is a mere repeat.
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        if not subscription.is_ours(session, delivery.subscription_id):
            counters.increment(session, "event of another subscription", at=now)
        elif not store.is_linked_athlete(session, delivery.owner_id):
            counters.increment(session, "event about nobody here", at=now)
    return False


def count_unknown_kind(runtime: Runtime) -> None:
    """Count a delivery of a kind that we do not know."""
    _increment_counter(runtime, "event of an unknown kind")


def is_genuine(runtime: Runtime, header: str | None, body: bytes) -> bool:
    """Whether to take a delivery, as far as its signature goes.

    Under `observe` every verdict is counted and everything is taken; under
    "enforce" only a delivery with the right signature.
    """
    mode = runtime.settings.strava_signature
    if mode == "off":
        return True
    signature_verdict = judge_signature(
        header,
        body,
        secret=runtime.settings.require_secret("strava_signing_secret"),
        now_s=runtime.now().timestamp(),
    )
    if mode == "observe" or signature_verdict != "right":
        _increment_counter(runtime, f"signature {signature_verdict}")
    return mode == "observe" or signature_verdict == "right"


@retry_conflicts
def _increment_counter(runtime: Runtime, name: str) -> None:
    with runtime.db.transaction() as session:
        counters.increment(session, name, at=runtime.db.now(session))
