"""The frozen records of a world; times are Strava's epoch seconds."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Visibility: TypeAlias = Literal["everyone", "followers_only", "only_me"]
Rotation: TypeAlias = Literal["documented", "always"]
FaultKind: TypeAlias = Literal["status", "html", "empty", "reset", "slow"]
DeliveryState: TypeAlias = Literal["waiting", "delivered", "failed", "dropped"]


@dataclass(frozen=True, kw_only=True)
class Athlete:
    id: int
    firstname: str
    lastname: str
    zone: str
    created_s: int
    city: str | None = None
    country: str | None = None
    sex: str | None = None


@dataclass(frozen=True, kw_only=True)
class Activity:
    id: int
    athlete_id: int
    name: str
    sport_type: str
    start_s: int
    zone: str
    distance_m: float
    moving_s: int
    elapsed_s: int
    elevation_gain_m: float = 0.0
    visibility: Visibility = "everyone"
    trainer: bool = False
    manual: bool = False
    commute: bool = False
    workout_type: int | None = None
    athlete_count: int = 1
    device_name: str | None = None
    average_heartrate: float | None = None
    max_heartrate: float | None = None
    average_cadence: float | None = None
    average_temp_c: int | None = None
    start_hidden: bool = False

    @property
    def is_private(self) -> bool:
        return self.visibility == "only_me"


@dataclass(frozen=True, kw_only=True)
class Code:
    """An authorization code: good once, for ten minutes."""

    code: str
    athlete_id: int
    scope: str
    expires_s: int
    used: bool = False


@dataclass(frozen=True, kw_only=True)
class AthleteGrant:
    """An athlete's standing consent and the newest pair of tokens under it."""

    athlete_id: int
    scope: str
    access_token: str
    refresh_token: str
    expires_s: int

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split(","))


@dataclass(frozen=True, kw_only=True)
class Access:
    """An access token; it lives out its hours even when a newer one exists."""

    token: str
    athlete_id: int
    scope: str
    expires_s: int

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.scope.split(","))


@dataclass(frozen=True, kw_only=True)
class SimulatedSubscription:
    id: int
    callback_url: str
    created_s: int


@dataclass(frozen=True, kw_only=True)
class OutgoingEvent:
    """One message to the app's callback, and how its delivery went."""

    id: int
    subscription_id: int
    body: dict[str, Any]
    due_s: float
    attempts: int = 0
    state: DeliveryState = "waiting"
    answer: str = ""


@dataclass(frozen=True, kw_only=True)
class SimulatedFault:
    """A fault of the next `times` calls, or of every call."""

    id: int
    kind: FaultKind
    status: int = 500
    seconds: float = 0.0
    on: str = "any"
    times: int | None = None


@dataclass(frozen=True, kw_only=True)
class RequestCounter:
    name: str
    value: int = 0


@dataclass(frozen=True, kw_only=True)
class App:
    """The one registered app and its settings."""

    client_id: str = "1"
    client_secret: str = "simulated"  # noqa: S105  the demo's own, not a secret
    callback_domain: str = "localhost"
    athlete_limit: int = 10
    inactive: bool = False
    rotate: Rotation = "documented"
    token_s: int = 21600
    page_at_most: int | None = None
    signing_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many calls the app may make; a new app's numbers by default."""

    quarter: int = 200
    day: int = 2000
    read_quarter: int = 100
    read_day: int = 1000
    quarter_s: int = 900


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Calls counted in one quarter and one day, named by their numbers since 1970."""

    quarter: int = 0
    quarter_used: int = 0
    day: int = 0
    day_used: int = 0


@dataclass(frozen=True, kw_only=True)
class DeliverySettings:
    """How events travel: shares lost, doubled or held back, and the pauses."""

    drop: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    delay_s: float = 0.0
    retry_gap_s: float = 120.0


Singleton: TypeAlias = App | Limits | Usage | DeliverySettings
EventUpdates: TypeAlias = dict[str, str]


# A saved world names its rows by these; a class may change its name, they may not.
_STORED_KINDS: dict[type, str] = {
    AthleteGrant: "Grant",
    SimulatedSubscription: "Subscription",
    OutgoingEvent: "Event",
    SimulatedFault: "Fault",
    RequestCounter: "Counter",
    DeliverySettings: "Delivery",
}


def stored_kind(record_type: type) -> str:
    """Return the name under which records of this type are saved."""
    return _STORED_KINDS.get(record_type, record_type.__name__)
