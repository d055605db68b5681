"""What a runner's due events ask us to do, and when to try again.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sync.errors import AccessRevoked, MoodmilesError, NotOnStrava, ScopeMissing
from sync.runs.rules import costs_an_attempt, next_try

MOST_ATTEMPTS = 12
# A run may be announced before it can be fetched.
NOT_THERE_YET = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)


class Told(Protocol):
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
class Plan:
    """What to do for one runner.  Keys are Strava's ids, values the events' ids.

    The order in which events arrived does not matter: whatever must be read is
    read once, and what Strava says then wins.
    """

    pull: dict[int, list[int]] = field(default_factory=dict)
    confirm_gone: dict[int, list[int]] = field(default_factory=dict)
    visibility: dict[int, tuple[str, list[int]]] = field(default_factory=dict)
    revoked: list[int] = field(default_factory=list)
    nothing: list[int] = field(default_factory=list)

    def read(self, run_id: int, event_ids: Iterable[int]) -> None:
        """Let one read answer these events, too, whatever else asks for it."""
        kind = self.confirm_gone if run_id in self.confirm_gone else self.pull
        kind.setdefault(run_id, []).extend(event_ids)


def plan(events: Iterable[Told]) -> Plan:
    """Sort a runner's events by what they need: a read, a note, or nothing."""
    made = Plan()
    for event in events:
        _place(made, event)
    asked, made.pull = made.pull, {}
    for run_id, event_ids in asked.items():
        made.read(run_id, event_ids)
    return made


def _place(made: Plan, event: Told) -> None:
    match (event.subject, event.aspect, event.updates):
        case ("athlete", "delete", _) | ("athlete", "update", {"authorized": "false"}):
            made.revoked.append(event.id)
        case ("activity", "create", _) | ("activity", "update", {"type": _}):
            made.pull.setdefault(event.subject_id, []).append(event.id)
        case ("activity", "delete", _):
            made.confirm_gone.setdefault(event.subject_id, []).append(event.id)
        case ("activity", "update", {"private": private}):
            visibility = "only_me" if private == "true" else "followers_only"
            _, before = made.visibility.get(event.subject_id, ("", []))
            made.visibility[event.subject_id] = (visibility, [*before, event.id])
        case _:
            # A new title changes nothing: we keep no names.
            made.nothing.append(event.id)


def settle(
    error: MoodmilesError, *, attempts: int, now: datetime
) -> tuple[datetime | None, str | None]:
    """Return when to try an event again, or None and why it is parked."""
    match error:
        case NotOnStrava() if attempts <= len(NOT_THERE_YET):
            return now + NOT_THERE_YET[attempts - 1], None
        case NotOnStrava():
            return None, None  # deleted or hidden meanwhile: nothing to keep
        case AccessRevoked() | ScopeMissing():
            return None, type(error).__name__
        case _ if attempts >= MOST_ATTEMPTS and costs_an_attempt(error):
            return None, type(error).__name__
        case _:
            return next_try(error, attempts=attempts, now=now), None
