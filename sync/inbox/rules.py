"""What a runner's due events ask us to do, and when to try again.  Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from sync.backoff import MAX_ATTEMPTS, counts_as_attempt, next_attempt_at
from sync.errors import AccessRevoked, NotOnStrava, ScopeMissing
from sync.vocabulary import EventAspect, EventSubject, Visibility

# A run may be announced before it can be fetched: it is asked for once by itself, and
# then looked for in the runner's list, with whatever else waits for that.
LAG_DELAYS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)
# No day brings so many of one runner: what comes beyond them is left to the list.
MAX_WAITING = 50
# So many events that Strava did not bear out, within a day, and only the runner's list
# is read: one request answers for any number of ids.
MAX_MISSES = 3
MISSES_EXPIRE_AFTER = timedelta(days=1)
LIST_INTERVAL = timedelta(minutes=15)
MIN_RUNS_FOR_LIST = 2  # from here on one list read is the cheaper one
# Old runs that are uploaded late stand together far down the list: one that was read by
# itself says where.  So many lists more than runs that they showed may be read.
MAX_UNPAID_LISTS = 2
MIN_REPORTED_GONE_FOR_LIST = 3  # a list refutes, but does not prove, that a run went


class EventLike(Protocol):
    """What a decision needs to see of a stored event."""

    @property
    def id(self) -> int: ...
    @property
    def athlete_id(self) -> int: ...
    @property
    def subject(self) -> str: ...
    @property
    def subject_id(self) -> int: ...
    @property
    def aspect(self) -> str: ...
    @property
    def updates(self) -> dict[str, Any]: ...
    @property
    def attempts(self) -> int: ...
    @property
    def misses(self) -> int: ...


class ClaimedEvent(Protocol):
    """What is known of an event before it is read."""

    @property
    def id(self) -> int: ...
    @property
    def subject_id(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def misses(self) -> int: ...


@dataclass(frozen=True)
class EventClaim:
    """One runner's due events, ours alone until they are settled.

    `scope` is that of the runner's link.  `may_collect`: whether the runner has agreed
    to what may be collected now.  `misses` counts the events of today that Strava did
    not bear out.
    """

    runner_id: int
    events: Sequence[ClaimedEvent]
    scope: str = ""
    may_collect: bool = True
    misses: int = 0

    @property
    def is_doubtful(self) -> bool:
        """Whether so little of it was true that only the list is read."""
        return self.misses >= MAX_MISSES

    def subset(self, event_ids: Collection[int]) -> "EventClaim":
        """Return the claim of these events alone."""
        events = [event for event in self.events if event.id in event_ids]
        return EventClaim(
            self.runner_id, events, self.scope, self.may_collect, self.misses
        )

    def halves(self) -> "Iterator[EventClaim]":
        middle = len(self.events) // 2
        for events in (self.events[:middle], self.events[middle:]):
            yield self.subset([event.id for event in events])


@dataclass(frozen=True)
class EventBatch(EventClaim):
    """One runner's due events, read.

    `known_starts` are the starts of those runs that we hold, hidden ones included, by
    Strava's ids.  `ignores_private`: whether we look away from private runs that the
    link shows.
    """

    events: Sequence[EventLike]
    known_starts: Mapping[int, datetime] = field(default_factory=dict)
    ignores_private: bool = False


@dataclass(frozen=True, slots=True)
class EventRetry:
    """When an event is tried again; None settles it, and `failed_reason` says why."""

    due_at: datetime | None
    failed_reason: str | None = None
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class ListRead:
    """Which page of a runner's list to read, and how much of it to store.

    The newest page, where new runs are, or the one that ends with `last_start`.
    """

    last_start: datetime | None
    takes_all: bool


@dataclass(slots=True)
class EventPlan:
    """What to do for one runner.  Keys are Strava's ids, values the events' ids.

    The order in which events arrived does not matter: each run in `reads` is read
    once, whatever its events say, and what Strava says then wins.  It was `announced`,
    `reported_gone`, or both.  Before any is read by itself, `list_read` is.
    """

    reads: dict[int, list[int]] = field(default_factory=dict)
    announced: set[int] = field(default_factory=set)
    reported_gone: set[int] = field(default_factory=set)
    visibility: dict[int, Visibility] = field(default_factory=dict)
    revoked: list[int] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    list_read: ListRead | None = None

    @property
    def takes_all(self) -> bool:
        """Whether so many events wait that others may not have been stored."""
        return self.list_read is not None and self.list_read.takes_all

    def event_ids(self, run_ids: Iterable[int]) -> list[int]:
        """Return the events about these runs."""
        return [event_id for run_id in run_ids for event_id in self.reads[run_id]]


def plan_events(batch: EventBatch) -> EventPlan:
    """Sort a runner's events by what they need: a read, a note, or nothing."""
    plan = EventPlan()
    for event in batch.events:
        run_id, is_known = event.subject_id, event.subject_id in batch.known_starts
        match (event.subject, event.aspect, event.updates):
            case (EventSubject.ATHLETE, EventAspect.DELETE, _) | (
                EventSubject.ATHLETE,
                EventAspect.UPDATE,
                {"authorized": "false"},
            ):
                plan.revoked.append(event.id)
            case (EventSubject.ACTIVITY, EventAspect.CREATE, _) | (
                EventSubject.ACTIVITY,
                EventAspect.UPDATE,
                {"type": _},
            ):
                plan.reads.setdefault(run_id, []).append(event.id)
                plan.announced.add(run_id)
            case (EventSubject.ACTIVITY, EventAspect.DELETE, _):
                plan.reads.setdefault(run_id, []).append(event.id)
                plan.reported_gone.add(run_id)
            case (EventSubject.ACTIVITY, EventAspect.UPDATE, {"private": "true"}) if (
                is_known and batch.ignores_private
            ):
                # We look away from it: to us it is gone, once Strava says so, too.
                plan.reads.setdefault(run_id, []).append(event.id)
                plan.reported_gone.add(run_id)
            case (EventSubject.ACTIVITY, EventAspect.UPDATE, {"private": word}) if (
                is_known
            ):
                is_private = word == "true"
                plan.visibility[run_id] = (
                    Visibility.ONLY_ME if is_private else Visibility.FOLLOWERS_ONLY
                )
                plan.settled.append(event.id)
            case (EventSubject.ACTIVITY, EventAspect.UPDATE, {"private": "false"}) if (
                batch.ignores_private
            ):
                # It comes back from where we looked away.
                plan.reads.setdefault(run_id, []).append(event.id)
                plan.announced.add(run_id)
            case _:
                # A new title changes nothing: we keep no names.
                plan.settled.append(event.id)
    # What is gone and was never here is none of ours.
    unneeded_ids = plan.reported_gone - plan.announced - batch.known_starts.keys()
    if not batch.may_collect:
        # Agreeing to the new text starts to reconcile, which finds these runs.
        unneeded_ids |= plan.reads.keys() - plan.reported_gone
    plan.settled += plan.event_ids(unneeded_ids)
    for run_id in unneeded_ids:
        del plan.reads[run_id]
    plan.reported_gone -= unneeded_ids
    plan.list_read = _plan_list_read(plan, batch)
    return plan


def _plan_list_read(plan: EventPlan, batch: EventBatch) -> ListRead | None:
    was_missed = any(
        event.misses for event in batch.events if event.subject_id in plan.reads
    )
    is_cheaper = (
        len(plan.reads.keys() - plan.reported_gone) >= MIN_RUNS_FOR_LIST
        or len(plan.reads) >= MIN_REPORTED_GONE_FOR_LIST
    )
    if not plan.reads or not (batch.is_doubtful or was_missed or is_cheaper):
        return None
    starts = [batch.known_starts.get(run_id) for run_id in plan.reads]
    known_starts = [start for start in starts if start is not None]
    return ListRead(
        last_start=max(known_starts) if len(known_starts) == len(starts) else None,
        takes_all=batch.is_doubtful or len(batch.events) >= MAX_WAITING,
    )


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The runs that a list did not show, by what follows from that."""

    read_singly: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    beyond: list[int] = field(default_factory=list)


def sort_unlisted(
    plan: EventPlan, batch: EventBatch, *, shown: AbstractSet[int], since: datetime
) -> Unlisted:
    """Sort what a list, which is complete from `since` on, did not show.

    Absence proves nothing: a run is read by itself, once.  Of a runner in doubt only
    those are, that the list ought to show.
    """
    sorted_ids = Unlisted()
    missed_before = {event.subject_id for event in batch.events if event.misses}
    for run_id in plan.reads.keys() - shown:
        started_at = batch.known_starts.get(run_id)
        if run_id in missed_before or (batch.is_doubtful and started_at is None):
            sorted_ids.missed.append(run_id)
        elif batch.is_doubtful and started_at is not None and started_at <= since:
            sorted_ids.beyond.append(run_id)
        else:
            sorted_ids.read_singly.append(run_id)
    return sorted_ids


def order_single_reads(plan: EventPlan, run_ids: Iterable[int]) -> list[int]:
    """Return in which order runs are read by themselves: by id, from both ends.

    Uploads come in the order of their days or against it; at one of the ends is the
    newest, from which on the list shows the others.  What is gone comes last.
    """
    announced = sorted(run_id for run_id in run_ids if run_id not in plan.reported_gone)
    order: list[int] = []
    for index in range((len(announced) + 1) // 2):
        order += dict.fromkeys((announced[-1 - index], announced[index]))
    return [*order, *sorted(plan.reported_gone.intersection(run_ids))]


def decide_retry(
    error: Exception, *, attempts: int, misses: int, is_doubtful: bool, now: datetime
) -> EventRetry:
    """Return when to try an event again, or why it is settled without.

    `misses` counts how often Strava did not show the run, this time included.
    """
    match error:
        case NotOnStrava() if is_doubtful and misses == 1:
            return EventRetry(now + LIST_INTERVAL)
        case NotOnStrava() if not is_doubtful and misses <= len(LAG_DELAYS):
            return EventRetry(now + LAG_DELAYS[misses - 1])
        case NotOnStrava():
            return EventRetry(None)  # deleted or hidden meanwhile: nothing to keep
        case AccessRevoked() | ScopeMissing():
            return EventRetry(None, type(error).__name__)
        case _ if attempts >= MAX_ATTEMPTS and counts_as_attempt(error):
            return EventRetry(None, type(error).__name__, is_given_up=True)
        case _:
            return EventRetry(next_attempt_at(error, attempts=attempts, now=now))
