"""The inbox table: who has something due, taking it, and settling it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    bindparam,
    case,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from sync import account_state
from sync.backoff import LEASE, MAX_ATTEMPTS
from sync.database import count_up
from sync.inbox.rules import (
    MISSES_EXPIRE_AFTER,
    EventBatch,
    EventClaim,
    EventRetry,
)
from sync.models import Connection, Event, Run, Runner
from sync.models.base import UtcDateTime
from sync.runners import store as runners
from sync.runs import private
from sync.runs.rules import SOURCE
from sync.vocabulary import require_known

_MAX_SCANNED = 20
_MAX_CLAIMED = 100
# One that was tried so often is claimed alone: if it kills its worker, it must not
# be given up together with those that happened to be claimed with it.
_SUSPECT_ATTEMPTS = MAX_ATTEMPTS - 3
_NOW = bindparam("now", type_=UtcDateTime())
_YESTERDAY = bindparam("yesterday", type_=UtcDateTime())
# From the oldest on, and no further than to the first few: grouping them by runner
# would read everything that is due for each runner who is served.
_WAITING = (
    select(
        Runner.id,
        Runner.athlete_id,
        (~account_state.has_outdated_consent(Runner.id)).label("may_collect"),
        Connection.scope,
        case(
            (Connection.missed_since > _YESTERDAY, Connection.misses + 0), else_=0
        ).label("misses"),
    )
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
_DUE_EVENTS = (
    select(Event.id, (Event.attempts >= _SUSPECT_ATTEMPTS).label("is_suspect"))
    .where(
        Event.athlete_id
        == bindparam("claimed_athlete_id", type_=Event.athlete_id.type),
        Event.due_at <= _NOW,
    )
    .order_by(Event.id)
    .limit(_MAX_CLAIMED)
)
_CONTENT = select(
    Event.id,
    Event.athlete_id,
    Event.subject,
    Event.subject_id,
    Event.aspect,
    Event.updates,
    Event.attempts,
    Event.misses,
)
_KNOWN_RUNS = select(Run.source_id, Run.started_at).where(
    Run.runner_id == bindparam("claimed_runner_id", type_=Run.runner_id.type),
    Run.source == SOURCE,
    Run.source_id.in_(bindparam("run_ids", expanding=True, type_=Run.source_id.type)),
)


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


def claim_next(session: Session, *, now: datetime) -> EventClaim | None:
    """Lease a runner whom no other worker has, with their due events.

    An attempt is counted before the work: an event that kills its worker is thus
    given up in the end.
    """
    runner = None
    times = {"now": now, "yesterday": now - MISSES_EXPIRE_AFTER}
    # Whom another worker takes meanwhile is not among those who are found next.
    while runner is None and (rows := session.execute(_WAITING, times).all()):
        until = now + LEASE
        for row in dict.fromkeys(rows):
            if runners.acquire(session, row.id, now=now, until=until):
                runner = row
                break
    if runner is None:
        return None
    athlete = {"claimed_athlete_id": runner.athlete_id, "now": now}
    due = session.execute(_DUE_EVENTS, athlete).all()
    event_ids = [row.id for row in due if not row.is_suspect]
    claimed = session.execute(
        update(Event)
        .where(Event.id.in_(event_ids or [row.id for row in due[:1]]))
        .values(due_at=now + LEASE, attempts=count_up(Event.attempts))
        .returning(
            Event.id,
            Event.subject_id,
            Event.attempts,
            # In a sum SQLite takes anything for a number.
            (Event.misses + 0).label("misses"),
        )
        .execution_options(synchronize_session=False)
    ).all()
    return EventClaim(
        runner.id,
        claimed,
        scope=runner.scope,
        may_collect=bool(runner.may_collect),
        misses=runner.misses,
    )


def load_batch(session: Session, claim: EventClaim) -> EventBatch:
    """Read what claimed events say, and which of their runs we hold.

    Raises `UnknownWord` for an event that this version does not understand.
    """
    event_ids = [event.id for event in claim.events]
    events = session.execute(_CONTENT.where(Event.id.in_(event_ids))).all()
    for event in events:
        require_known(event.subject)
        require_known(event.aspect)
    runs = {
        "claimed_runner_id": claim.runner_id,
        "run_ids": [event.subject_id for event in claim.events],
    }
    return EventBatch(
        claim.runner_id,
        events,
        scope=claim.scope,
        may_collect=claim.may_collect,
        misses=claim.misses,
        known_starts={
            run.source_id: run.started_at for run in session.execute(_KNOWN_RUNS, runs)
        },
        ignores_private=any("private" in event.updates for event in events)
        and private.ignores_private_runs(session, claim.runner_id, claim.scope),
    )


def settle(session: Session, event_ids: Sequence[int]) -> None:
    if event_ids:
        session.execute(
            update(Event).where(Event.id.in_(event_ids)).values(due_at=None)
        )


def postpone(
    session: Session,
    event_ids: Sequence[int],
    retry: EventRetry,
    *,
    is_free: bool,
    is_miss: bool,
) -> None:
    """Put events that are not settled back, or park them; free costs no attempt."""
    session.execute(
        update(Event)
        .where(Event.id.in_(event_ids), Event.due_at.is_not(None))
        .values(
            due_at=retry.due_at,
            parked_for=retry.failed_reason,
            attempts=Event.attempts - int(is_free),
            misses=count_up(Event.misses, int(is_miss)),
        )
    )


def count_misses(
    session: Session, runner_id: int, count: int, *, now: datetime
) -> None:
    """Count events that Strava did not bear out; after a day it begins anew."""
    if not count:
        return
    is_over = or_(
        Connection.missed_since.is_(None),
        Connection.missed_since <= now - MISSES_EXPIRE_AFTER,
    )
    session.execute(
        update(Connection)
        .where(Connection.runner_id == runner_id)
        .values(
            misses=case((is_over, count), else_=count_up(Connection.misses, count)),
            missed_since=case((is_over, now), else_=Connection.missed_since),
        )
        .execution_options(synchronize_session=False)
    )


def wait_for_list(session: Session, batch: EventBatch, *, until: datetime) -> None:
    """Let what waits and what arrives about a runner wait for the next list read."""
    session.execute(
        update(Connection)
        .where(Connection.runner_id == batch.runner_id)
        .values(held_until=until)
    )
    athlete_ids = {event.athlete_id for event in batch.events}
    session.execute(
        update(Event)
        .where(Event.athlete_id.in_(athlete_ids), Event.due_at < until)
        .where(Event.id.not_in([event.id for event in batch.events]))
        .values(due_at=until)
    )
