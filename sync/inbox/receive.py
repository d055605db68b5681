"""Take a delivery in: write it down, promise to look at it, return."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import tallies
from sync.database import insert, wake_after_commit
from sync.inbox import subscription
from sync.inbox.event import Delivery
from sync.inbox.signature import verdict
from sync.models import Event, Runner
from sync.queue import Work
from sync.runtime import Runtime


def receive(runtime: Runtime, delivery: Delivery) -> bool:
    """Keep a delivery; False if it is a repeat or not about anybody here."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        if not subscription.is_ours(session, delivery.subscription_id):
            tallies.count(session, "event of another subscription", at=now)
            return False
        known = session.scalar(
            select(Runner.id).where(Runner.athlete_id == delivery.owner_id)
        )
        if known is None:
            tallies.count(session, "event about nobody here", at=now)
            return False
        is_new = _keep(session, delivery, now=now)
        if is_new:
            wake_after_commit(session, Work.INBOX)
        return is_new


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
        tallies.count(session, name, at=runtime.db.now(session))


def _keep(session: Session, delivery: Delivery, *, now: datetime) -> bool:
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
    return kept is not None
