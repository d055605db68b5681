"""The part of Strava that this service uses, as plain data and one protocol."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Protocol, TypeAlias

from sync.vocabulary import Visibility

SCOPE = "read,activity:read"
SCOPE_WITH_PRIVATE = "read,activity:read_all"


class Lane(IntEnum):
    """Priority in the request budget: a lower number goes first."""

    WAITING = 0  # a person looks at the page
    NEW_RUN = 1
    RECONCILE = 2
    BACKFILL = 3


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """The result of a runner's consent."""

    athlete_id: int
    tokens: Tokens
    member_since: date | None = None


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """One run as Strava describes it now, reduced to the columns that we keep.

    `started_at` is true UTC; `local_day` comes from the run's own wall clock.
    `start_known` is false when the runner hides the start time.
    """

    id: int
    sport: str
    started_at: datetime
    start_known: bool
    zone: str | None
    offset_s: int
    local_day: date
    distance_m: float
    moving_s: int
    elapsed_s: int
    elevation_m: float | None
    treadmill: bool
    manual: bool
    race: bool
    with_others: bool
    device: str | None
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class OtherActivity:
    """An activity of another sport, by its raw name: never stored.

    `started_at` is where it stands in the list, if it says so.
    """

    id: int
    sport: str
    started_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that does not make sense; it goes into quarantine with the reason."""

    id: int
    reason: str


Activity: TypeAlias = RemoteRun | OtherActivity | UnreadableRecord


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """One page of the list; `size` counts all records, and only 0 ends the list."""

    runs: tuple[RemoteRun, ...]
    other_activities: tuple[OtherActivity, ...]
    unreadable: tuple[UnreadableRecord, ...]
    size: int
    oldest_day: date | None


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    id: int
    callback_url: str


@dataclass(frozen=True, slots=True)
class Meter:
    """One of Strava's four limits: of a quarter or a day, of all requests or reads."""

    window: str
    kind: str
    used: int
    limit: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The budget as `/metrics` and `doctor` show it."""

    meters: tuple[Meter, ...]
    paused_until: datetime | None
    is_shared: bool


class Strava(Protocol):
    """Strava's API; every call raises one of `sync.errors` if it fails."""

    def consent_url(
        self, *, state: str, redirect_uri: str, scope: str, force: bool = False
    ) -> str:
        """Return the address of Strava's consent page, without a request."""
        ...

    def exchange(self, code: str) -> Grant:
        """Turn a one-use code into tokens (`CodeRefused`, `AppFull`, ...)."""
        ...

    def refresh(self, refresh_token: str) -> Tokens:
        """Return a new pair; `AccessRevoked` if Strava refuses the old one."""
        ...

    def revoke(self, token: str) -> None:
        """Revoke our access; either token revokes both."""
        ...

    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        """Fetch one activity (one request); `NotOnStrava` on a 404."""
        ...

    def page(
        self,
        access_token: str,
        *,
        lane: Lane,
        page: int = 1,
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> ActivityPage:
        """Fetch one page of up to 200 activities (one request)."""
        ...

    def subscriptions(self) -> list[RemoteSubscription]: ...

    def subscribe(self, callback_url: str, verify_token: str) -> RemoteSubscription: ...

    def unsubscribe(self, subscription_id: int) -> None: ...

    def budget_state(self) -> BudgetState:
        """Return how much of the request limits is used, without a request."""
        ...
