"""What a runner's due events ask us to do, and when to try again.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sync.errors import AccessRevoked, MoodmilesError, NotOnStrava, ScopeMissing
from sync.runs.rules import counts_as_attempt, next_attempt_at
from sync.vocabulary import EventAspect, EventSubject, Visibility

MAX_ATTEMPTS = 12
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


@dataclass(slots=True)
class EventPlan:
    """What to do for one runner.  Keys are Strava's ids, values the events' ids.

    The order in which events arrived does not matter: whatever must be read is
    read once, and what Strava says then wins.
    """

    pull: dict[int, list[int]] = field(default_factory=dict)
    confirm_gone: dict[int, list[int]] = field(default_factory=dict)
    visibility: dict[int, tuple[Visibility, list[int]]] = field(default_factory=dict)
    revoked: list[int] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)

    def add_read(self, run_id: int, event_ids: Iterable[int]) -> None:
        """Let one read answer these events, too, whatever else asks for it."""
        group = self.confirm_gone if run_id in self.confirm_gone else self.pull
        group.setdefault(run_id, []).extend(event_ids)


def plan_events(events: Iterable[EventLike]) -> EventPlan:
    """Sort a runner's events by what they need: a read, a note, or nothing."""
    event_plan = EventPlan()
    for event in events:
        _sort_event(event_plan, event)
    requested, event_plan.pull = event_plan.pull, {}
    for run_id, event_ids in requested.items():
        event_plan.add_read(run_id, event_ids)
    return event_plan


def _sort_event(event_plan: EventPlan, event: EventLike) -> None:
    match (event.subject, event.aspect, event.updates):
        case (EventSubject.ATHLETE, EventAspect.DELETE, _) | (
            EventSubject.ATHLETE,
            EventAspect.UPDATE,
            {"authorized": "false"},
        ):
            event_plan.revoked.append(event.id)
        case (EventSubject.ACTIVITY, EventAspect.CREATE, _) | (
            EventSubject.ACTIVITY,
            EventAspect.UPDATE,
            {"type": _},
        ):
            event_plan.pull.setdefault(event.subject_id, []).append(event.id)
        case (EventSubject.ACTIVITY, EventAspect.DELETE, _):
            event_plan.confirm_gone.setdefault(event.subject_id, []).append(event.id)
        case (EventSubject.ACTIVITY, EventAspect.UPDATE, {"private": private}):
            visibility = (
                Visibility.ONLY_ME if private == "true" else Visibility.FOLLOWERS_ONLY
            )
            _, earlier_ids = event_plan.visibility.get(
                event.subject_id, (visibility, [])
            )
            event_plan.visibility[event.subject_id] = (
                visibility,
                [*earlier_ids, event.id],
            )
        case _:
            # A new title changes nothing: we keep no names.
            event_plan.ignored.append(event.id)


def decide_retry(
    error: MoodmilesError, *, attempts: int, now: datetime
) -> tuple[datetime | None, str | None]:
    """Return when to try an event again, or None and why it is parked."""
    match error:
        case NotOnStrava() if attempts <= len(NOT_FOUND_DELAYS):
            return now + NOT_FOUND_DELAYS[attempts - 1], None
        case NotOnStrava():
            return None, None  # deleted or hidden meanwhile: nothing to keep
        case AccessRevoked() | ScopeMissing():
            return None, type(error).__name__
        case _ if attempts >= MAX_ATTEMPTS and counts_as_attempt(error):
            return None, type(error).__name__
        case _:
            return next_attempt_at(error, attempts=attempts, now=now), None
