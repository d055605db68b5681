"""Receive a delivery: check its signature, store it, wake a worker.

Whatever becomes of a delivery, it costs one look at the tables and one write, so that
its sender cannot learn who is a runner here, nor what we hold of them.  (One that
brings a reconciliation forward costs a second write, twice a day for a runner.)
"""

import hmac
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Executable,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from sync import counters
from sync.conflicts import retry_conflicts
from sync.database import Database, dialect_insert
from sync.inbox.event import WebhookDelivery
from sync.inbox.rules import MAX_WAITING
from sync.models import Connection, Event, ReconcileState, Runner, Subscription
from sync.queue import Job
from sync.runs import claims
from sync.runtime import Runtime
from sync.vocabulary import EventAspect, EventSubject, SignatureVerdict

# `X-Strava-Signature: t=<unix>,v1=<hex>` signs "<t>.<raw body>" with HMAC-SHA256.
SIGNATURE_HEADER = "X-Strava-Signature"
SIGNATURE_COUNTER = "signature "
TOLERANCE_S = 300
LEFT_TO_LIST = "event left to the list"


@dataclass(frozen=True, slots=True)
class _Reception:
    """What the tables say to a delivery; `runner_id` is None without a link."""

    runner_id: int | None
    is_ours: bool
    is_repeat: bool
    waiting: int
    is_reconcile_too_late: bool

    @property
    def refusal(self) -> str | None:
        """Why the delivery is not stored, as the name of its counter."""
        if not self.is_ours:
            return "event of another subscription"
        if self.runner_id is None:
            return "event about nobody here"
        if self.is_repeat:
            return "event that came again"
        return LEFT_TO_LIST if self.waiting >= MAX_WAITING else None


@retry_conflicts
def receive_delivery(runtime: Runtime, delivery: WebhookDelivery) -> bool:
    """Store a delivery; False if it is a repeat or of no linked athlete.

    Of a runner with many events waiting it is not stored either: the list that
    answers those shows what this one would say.
    """
    parameters = {
        "dedupe_key": delivery.dedupe_key,
        "subject": delivery.object_type,
        "subject_id": delivery.object_id,
        "aspect": delivery.aspect_type,
        "athlete_id": delivery.owner_id,
        "updates": delivery.updates,
        "happened_at": delivery.happened_at,
        "subscription_id": delivery.subscription_id,
        "is_revoking": delivery.is_revoking,
    }
    [row] = runtime.db.execute_autocommit(_reception_statement(runtime.db), parameters)
    reception = _Reception(
        row.runner_id,
        row.is_ours,
        row.is_repeat,
        row.waiting,
        row.is_reconcile_too_late,
    )
    refusal = reception.refusal
    if refusal is None:
        is_stored = _insert_event(runtime.db, parameters)
        runtime.queue.wake(Job.INBOX)
        return is_stored
    counters.increment_alone(runtime.db, refusal)
    if (
        refusal == LEFT_TO_LIST
        and reception.runner_id is not None
        and reception.is_reconcile_too_late
    ):
        claims.bring_reconcile_forward(runtime.db, reception.runner_id)
    return False


@retry_conflicts
def _insert_event(db: Database, parameters: dict[str, Any]) -> bool:
    return bool(db.execute_autocommit(_insert_statement(db), parameters))


def count_unknown_kind(runtime: Runtime) -> None:
    """Count a delivery of a kind that we do not know, at the cost of any other."""
    nobody = {"athlete_id": -1, "subscription_id": -1, "dedupe_key": ""}
    runtime.db.execute_autocommit(
        _reception_statement(runtime.db), nobody | {"is_revoking": False}
    )
    counters.increment_alone(runtime.db, "event of an unknown kind")


def is_genuine(runtime: Runtime, header: str | None, body: bytes) -> bool:
    """Whether to take a delivery, as far as its signature goes.

    Under `observe` every verdict is counted and everything is taken; under
    "enforce" only a delivery with the right signature.
    """
    settings = runtime.settings
    if settings.strava_signature == "off":
        return True
    # Reports differ on whether Strava signs with a secret of its own or the client's.
    secret = settings.strava_signing_secret or settings.strava_client_secret
    verdict = judge_signature(
        header,
        body,
        secret=secret.get_secret_value() if secret else "",
        now_s=runtime.now().timestamp(),
    )
    is_right = verdict == SignatureVerdict.RIGHT
    if settings.strava_signature == "observe" or not is_right:
        counters.increment_alone(runtime.db, SIGNATURE_COUNTER + verdict)
    return settings.strava_signature == "observe" or is_right


def judge_signature(
    header: str | None, body: bytes, *, secret: str, now_s: float
) -> SignatureVerdict:
    """Judge one delivery by its signature header and its raw body.  Pure."""
    if not header:
        return SignatureVerdict.MISSING
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    signed_at, given_digest = parts.get("t", ""), parts.get("v1", "")
    if not signed_at.isdecimal() or len(signed_at) > 12:
        return SignatureVerdict.WRONG
    message = signed_at.encode() + b"." + body
    expected_digest = hmac.new(secret.encode(), message, sha256).hexdigest()
    if not hmac.compare_digest(given_digest.encode(), expected_digest.encode()):
        return SignatureVerdict.WRONG
    if abs(now_s - int(signed_at)) > TOLERANCE_S:
        return SignatureVerdict.TOO_OLD
    return SignatureVerdict.RIGHT


def _parameter(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    return bindparam(column.key, type_=column.type)


@lru_cache(maxsize=4)  # building it costs more than running it
def _reception_statement(db: Database) -> Select[Any]:
    """Return the one statement that says whose delivery it is and what waits."""
    runner_id = (
        select(Runner.id)
        .join(Connection, Connection.runner_id == Runner.id)
        .where(Runner.athlete_id == _parameter(Event.athlete_id))
    )
    # What a worker has begun may have been read already, and answers for nothing new.
    is_begun = and_(
        Event.attempts > 0,
        exists().where(
            Runner.athlete_id == Event.athlete_id,
            Connection.runner_id == Runner.id,
            Connection.busy_until > db.now_expression,
        ),
    )
    # No list tells of a runner who takes the permission back: such events wait apart.
    is_revoking = and_(
        Event.subject == EventSubject.ATHLETE,
        or_(
            Event.aspect == EventAspect.DELETE,
            cast(Event.updates, String).like('%"authorized": "false"%'),
        ),
    )
    waiting = (
        select(literal(1))
        .where(
            Event.athlete_id == _parameter(Event.athlete_id),
            Event.due_at.is_not(None),
            is_revoking == bindparam("is_revoking", type_=Boolean),
            ~is_begun,
        )
        .limit(MAX_WAITING)
        .subquery()
    )
    subscription_id = bindparam("subscription_id", type_=Subscription.id.type)
    return select(
        runner_id.scalar_subquery().label("runner_id"),
        or_(
            exists().where(Subscription.id == subscription_id),
            ~exists(select(Subscription.id)),
        ).label("is_ours"),
        exists()
        .where(Event.dedupe_key == _parameter(Event.dedupe_key))
        .label("is_repeat"),
        select(func.count()).select_from(waiting).scalar_subquery().label("waiting"),
        exists()
        .where(
            ReconcileState.runner_id == runner_id.scalar_subquery(),
            claims.is_reconcile_too_late(db),
        )
        .label("is_reconcile_too_late"),
    )


@lru_cache(maxsize=4)  # building it costs more than running it
def _insert_statement(db: Database) -> Executable:
    """Return what stores an event: due now, or once its runner's list may be read."""
    held_until = (
        select(Connection.held_until)
        .join(Runner, Runner.id == Connection.runner_id)
        .where(
            Runner.athlete_id == _parameter(Event.athlete_id),
            Connection.held_until > db.now_expression,
        )
        .scalar_subquery()
    )
    row = {
        column.key: _parameter(column)
        for column in (
            Event.dedupe_key,
            Event.subject,
            Event.subject_id,
            Event.aspect,
            Event.athlete_id,
            Event.updates,
            Event.happened_at,
        )
    }
    row |= {
        "received_at": db.now_expression,
        "due_at": func.coalesce(held_until, db.now_expression),
        "attempts": literal(0),
        "misses": literal(0),
    }
    return (
        dialect_insert(db.engine, Event)
        .from_select([*row], select(*row.values()))
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(Event.id)
    )
