"""The inbox table: who has something due, taking it, and settling it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    bindparam,
    delete,
    exists,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from sync import account_state
from sync.backoff import LEASE, MAX_ATTEMPTS
from sync.conflicts import retry_conflicts
from sync.database import Database, dialect_insert
from sync.inbox.event import WebhookDelivery
from sync.inbox.rules import EventRetry
from sync.models import Connection, Event, Runner, Subscription
from sync.models.base import UtcDateTime
from sync.runners import store as runners

_MAX_SCANNED = 20
_MAX_CLAIMED = 100
# One that was tried so often is claimed alone: if it kills its worker, it must not
# be given up together with those that happened to be claimed with it.
_SUSPECT_ATTEMPTS = MAX_ATTEMPTS - 3
_NOW = bindparam("now", type_=UtcDateTime())
# From the oldest on, and no further than to the first few: grouping them by runner
# would read everything that is due for each runner who is served.
_WAITING_RUNNERS = (
    select(Runner.id, ~account_state.has_outdated_consent(Runner.id))
    .join(Event, Event.athlete_id == Runner.athlete_id)
    .join(Connection, Connection.runner_id == Runner.id)
    .where(
        Event.due_at <= _NOW,
        (Connection.busy_until.is_(None)) | (Connection.busy_until <= _NOW),
        Runner.erase_at.is_(None),
    )
    .order_by(Event.due_at, Event.id)
    .limit(_MAX_SCANNED)
)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """One runner's due events, ours alone until they are settled.

    `may_collect`: whether the runner has agreed to what may be collected now.
    """

    runner_id: int
    events: Sequence[Event]
    may_collect: bool

    def subset(self, event_ids: Collection[int]) -> "EventBatch":
        """Return the batch of these events alone."""
        events = [event for event in self.events if event.id in event_ids]
        return replace(self, events=events)


def save_delivery(db: Database, delivery: WebhookDelivery) -> bool:
    """Write a delivery down; False if it is a repeat or not about anybody here."""
    columns = {
        "dedupe_key": delivery.dedupe_key,
        "subject": delivery.object_type,
        "subject_id": delivery.object_id,
        "aspect": delivery.aspect_type,
        "athlete_id": delivery.owner_id,
        "updates": delivery.updates,
        "happened_at": delivery.event_time,
    }
    parameters = {"subscription_id": delivery.subscription_id}
    return bool(
        db.execute_autocommit(
            _insert_statement(db, tuple(columns)), columns | parameters
        )
    )


@lru_cache(maxsize=4)  # building it costs more than running it
def _insert_statement(db: Database, column_names: Sequence[str]) -> Executable:
    """Return the one statement that asks whose event it is and stores it."""
    row: dict[str, Any] = {
        name: bindparam(name, type_=Event.__table__.c[name].type)
        for name in column_names
    }
    row |= {
        "received_at": db.now_expression,
        "due_at": db.now_expression,
        "attempts": literal(0),
    }
    subscription_id = bindparam("subscription_id", type_=Subscription.id.type)
    is_known = _is_linked(row["athlete_id"])
    is_ours = or_(
        exists().where(Subscription.id == subscription_id),
        ~exists(select(Subscription.id)),
    )
    return (
        dialect_insert(db.engine, Event)
        .from_select([*row], select(*row.values()).where(is_known, is_ours))
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(Event.id)
    )


def is_linked_athlete(session: Session, athlete_id: int) -> bool:
    """Whether an athlete of Strava's is a runner here who has Strava linked."""
    return bool(session.scalar(select(_is_linked(literal(athlete_id)))))


def delete_unlinked_events(session: Session) -> None:
    """Remove what waits about those who have no link: nobody would ever take it."""
    session.execute(
        delete(Event).where(
            Event.due_at.is_not(None), ~_is_linked(Event.__table__.c.athlete_id)
        )
    )


def _is_linked(athlete_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether an athlete has a link here, be it a broken one."""
    return exists().where(
        Runner.athlete_id == athlete_id, Connection.runner_id == Runner.id
    )


def claim_next(session: Session, *, now: datetime) -> EventBatch | None:
    """Lease a runner whom no other worker has, with their due events."""
    # Whom another worker takes meanwhile is not among those who are found next.
    while rows := session.execute(_WAITING_RUNNERS, {"now": now}).all():
        for runner_id, may_collect in dict.fromkeys(map(tuple, rows)):
            if runners.acquire(session, runner_id, now=now, until=now + LEASE):
                events = claim_events(session, runner_id, now=now)
                return EventBatch(runner_id, events, bool(may_collect))
    return None


def claim_events(session: Session, runner_id: int, *, now: datetime) -> Sequence[Event]:
    """Lease a runner's oldest due events and count the attempt, before the work.

    An event that kills its worker is thus given up in the end.
    """
    athlete_id = select(Runner.athlete_id).where(Runner.id == runner_id)
    rows = session.execute(
        select(Event.id, Event.attempts)
        .where(Event.athlete_id == athlete_id.scalar_subquery(), Event.due_at <= now)
        .order_by(Event.id)
        .limit(_MAX_CLAIMED)
    ).all()
    event_ids = [row.id for row in rows if row.attempts < _SUSPECT_ATTEMPTS] or [
        row.id for row in rows[:1]
    ]
    return session.scalars(
        update(Event)
        .where(Event.id.in_(event_ids))
        .values(due_at=now + LEASE, attempts=Event.attempts + 1)
        .returning(Event)
    ).all()


@retry_conflicts
def mark_done(db: Database, event_ids: Sequence[int]) -> None:
    if not event_ids:
        return
    with db.transaction() as session:
        session.execute(
            update(Event).where(Event.id.in_(event_ids)).values(due_at=None)
        )


def postpone(
    session: Session, event_ids: Sequence[int], retry: EventRetry, *, is_free: bool
) -> None:
    """Put events that are not settled back, or park them; free costs no attempt."""
    session.execute(
        update(Event)
        .where(Event.id.in_(event_ids), Event.due_at.is_not(None))
        .values(
            due_at=retry.due_at,
            parked_for=retry.failed_reason,
            attempts=Event.attempts - int(is_free),
        )
    )
