"""The state of one small Strava: athletes, activities, grants, events, settings."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Condition, RLock
from typing import Any, TypeVar

from sync.clock import Clock, utc_now
from sync.simulator.records import (
    Access,
    Activity,
    App,
    Athlete,
    AthleteGrant,
    Code,
    DeliverySettings,
    Limits,
    OutgoingEvent,
    RequestCounter,
    SimulatedFault,
    SimulatedSubscription,
    Singleton,
    Usage,
    stored_kind,
)
from sync.simulator.repository import RecordFile, RecordRepository

AnySingleton = TypeVar("AnySingleton", App, Limits, Usage, DeliverySettings)

# Strava's own numbers have long left 32 bits behind, and ours begin there too,
# so that a client with a narrow column finds out here.
FIRST_IDS = {
    "activity": 15_830_000_000,
    "athlete": 200_000,
    "subscription": 120_475,
}


class World:
    """All records of this Strava; change them inside `with world.transaction()`."""

    def __init__(
        self, *, clock: Clock = utc_now, state: Path | None = None, seed: int = 1
    ) -> None:
        self.clock = clock
        self.rng = Random(seed)  # noqa: S311  chance for play, not for secrets
        self.condition = Condition(RLock())
        self._record_file = RecordFile(state)
        self.athletes = RecordRepository(
            self._record_file, Athlete, lambda athlete: athlete.id
        )
        self.codes = RecordRepository(self._record_file, Code, lambda code: code.code)
        self.grants = RecordRepository(
            self._record_file, AthleteGrant, lambda grant: grant.athlete_id
        )
        self.accesses = RecordRepository(
            self._record_file, Access, lambda access: access.token
        )
        self.subscriptions = RecordRepository(
            self._record_file, SimulatedSubscription, lambda record: record.id
        )
        self.events = RecordRepository(
            self._record_file, OutgoingEvent, lambda event: event.id
        )
        self.faults = RecordRepository(
            self._record_file, SimulatedFault, lambda fault: fault.id
        )
        self.counters = RecordRepository(
            self._record_file, RequestCounter, lambda counter: counter.name
        )
        self._activities = RecordRepository(
            self._record_file, Activity, lambda record: record.id
        )
        self._by_athlete: dict[int, dict[int, Activity]] = {}
        for activity in self._activities:
            self._index_activity(activity)
        self._singletons: dict[type[Singleton], Any] = {
            kind: next(
                (kind(**body) for body in self._record_file.read(stored_kind(kind))),
                None,
            )
            for kind in (App, Limits, Usage, DeliverySettings)
        }

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Lock the world; at the end of the block every change is on disk."""
        with self.condition:
            try:
                yield
            except Exception:
                # The changes before the refusal stay in memory: store them, too.
                self._record_file.commit()
                raise
            self._record_file.commit()

    def close(self) -> None:
        with self.condition:
            self._record_file.close()

    def now_epoch(self) -> float:
        return self.clock().timestamp()

    def now_s(self) -> int:
        return int(self.now_epoch())

    # The app and its settings: one record of each kind.

    def _get_singleton(self, kind: type[AnySingleton]) -> AnySingleton:
        singleton: AnySingleton | None = self._singletons[kind]
        return kind() if singleton is None else singleton

    @property
    def app(self) -> App:
        return self._get_singleton(App)

    @property
    def limits(self) -> Limits:
        return self._get_singleton(Limits)

    @property
    def usage(self) -> Usage:
        return self._get_singleton(Usage)

    @property
    def delivery(self) -> DeliverySettings:
        return self._get_singleton(DeliverySettings)

    def put_singleton(self, singleton: Singleton) -> None:
        self._singletons[type(singleton)] = singleton
        self._record_file.write(stored_kind(type(singleton)), "only", vars(singleton))

    @property
    def subscription(self) -> SimulatedSubscription | None:
        return next(iter(self.subscriptions), None)

    # Numbers: ids that never come back, and counts of what happened.

    def next_id(self, kind: str) -> int:
        number = FIRST_IDS.get(kind, 0) + self.increment_counter(f"id:{kind}")
        # An export may have brought activities with numbers as high as ours.
        is_taken = kind == "activity" and number in self._activities
        return self.next_id(kind) if is_taken else number

    def increment_counter(self, name: str) -> int:
        counter = self.counters.get(name)
        value = 1 if counter is None else counter.value + 1
        self.counters.put(RequestCounter(name=name, value=value))
        return value

    # Activities, found by id or by athlete.

    def get_activity(self, activity_id: int) -> Activity | None:
        return self._activities.get(activity_id)

    def iter_activities(self) -> Iterator[Activity]:
        return iter(self._activities)

    def list_activities(self, athlete_id: int) -> list[Activity]:
        return list(self._by_athlete.get(athlete_id, {}).values())

    def put_activity(self, activity: Activity) -> None:
        self._activities.put(activity)
        self._index_activity(activity)

    def remove_activity(self, activity: Activity) -> None:
        self._activities.remove(activity.id)
        self._by_athlete[activity.athlete_id].pop(activity.id, None)

    def _index_activity(self, activity: Activity) -> None:
        self._by_athlete.setdefault(activity.athlete_id, {})[activity.id] = activity
