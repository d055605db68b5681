"""What a runner's due events ask us to do, and when to try again.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sync.backoff import MAX_ATTEMPTS, counts_as_attempt, next_attempt_at
from sync.errors import AccessRevoked, NotOnStrava, ScopeMissing
from sync.vocabulary import EventAspect, EventSubject, Visibility

# A run may be announced before it can be fetched.
NOT_FOUND_DELAYS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)


class EventLike(Protocol):
    """What a decision needs to see of a stored event."""

    @property
    def id(self) -> int: ...
    @property
    def subject(self) -> str: ...
    @property
    def subject_id(self) -> int: ...
    @property
    def aspect(self) -> str: ...
    @property
    def updates(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class VisibilityChange:
    """Who may see a run from now on, and the events that say so."""

    visibility: Visibility
    event_ids: list[int]


@dataclass(frozen=True, slots=True)
class EventRetry:
    """When an event is tried again; None settles it, and `failed_reason` says why."""

    due_at: datetime | None
    failed_reason: str | None = None
    is_given_up: bool = False


@dataclass(slots=True)
class EventPlan:
    """What to do for one runner.  Keys are Strava's ids, values the events' ids.

    The order in which events arrived does not matter: each run in `reads` is read
    once, whatever its events say, and what Strava says then wins.  Those of
    `reported_gone` are among them.
    """

    reads: dict[int, list[int]] = field(default_factory=dict)
    reported_gone: set[int] = field(default_factory=set)
    visibility: dict[int, VisibilityChange] = field(default_factory=dict)
    revoked: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)


def plan_events(events: Iterable[EventLike]) -> EventPlan:
    """Sort a runner's events by what they need: a read, a note, or nothing."""
    plan = EventPlan()
    for event in events:
        match (event.subject, event.aspect, event.updates):
            case (EventSubject.ATHLETE, EventAspect.DELETE, _):
                plan.revoked.append(event.id)
            case (EventSubject.ATHLETE, EventAspect.UPDATE, {"authorized": "false"}):
                plan.revoked.append(event.id)
            case (EventSubject.ACTIVITY, EventAspect.CREATE, _) | (
                EventSubject.ACTIVITY,
                EventAspect.UPDATE,
                {"type": _},
            ):
                plan.reads.setdefault(event.subject_id, []).append(event.id)
            case (EventSubject.ACTIVITY, EventAspect.DELETE, _):
                plan.reads.setdefault(event.subject_id, []).append(event.id)
                plan.reported_gone.add(event.subject_id)
            case (EventSubject.ACTIVITY, EventAspect.UPDATE, {"private": private}):
                visibility = (
                    Visibility.ONLY_ME
                    if private == "true"
                    else Visibility.FOLLOWERS_ONLY
                )
                earlier = plan.visibility.get(event.subject_id)
                plan.visibility[event.subject_id] = VisibilityChange(
                    visibility, [*(earlier.event_ids if earlier else ()), event.id]
                )
            case _:
                # A new title changes nothing: we keep no names.
                plan.settled.append(event.id)
    return plan


def decide_retry(error: Exception, *, attempts: int, now: datetime) -> EventRetry:
    """Return when to try an event again, or why it is settled without."""
    match error:
        case NotOnStrava() if attempts <= len(NOT_FOUND_DELAYS):
            return EventRetry(now + NOT_FOUND_DELAYS[attempts - 1])
        case NotOnStrava():
            return EventRetry(None)  # deleted or hidden meanwhile: nothing to keep
        case AccessRevoked() | ScopeMissing():
            return EventRetry(None, type(error).__name__)
        case _ if attempts >= MAX_ATTEMPTS and counts_as_attempt(error):
            return EventRetry(None, type(error).__name__, is_given_up=True)
        case _:
            return EventRetry(next_attempt_at(error, attempts=attempts, now=now))
