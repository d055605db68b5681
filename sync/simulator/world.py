"""The state of one small Strava: who is in it, what they did, who may read it."""

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
    Code,
    Counter,
    Delivery,
    Event,
    Fault,
    Grant,
    Limits,
    Single,
    Subscription,
    Usage,
)
from sync.simulator.repository import Archive, Shelf

AnySingle = TypeVar("AnySingle", App, Limits, Usage, Delivery)

# Strava's own numbers have long left 32 bits behind, and ours begin there too,
# so that a client with a narrow column finds out here.
FIRST_NUMBERS = {
    "activity": 15_830_000_000,
    "athlete": 200_000,
    "subscription": 120_475,
}


class World:
    """Everything this Strava knows; change it only inside `with world.change()`."""

    def __init__(
        self, *, clock: Clock = utc_now, state: Path | None = None, seed: int = 1
    ) -> None:
        self.clock = clock
        self.random = Random(seed)  # noqa: S311  chance for play, not for secrets
        self.news = Condition(RLock())
        self._archive = Archive(state)
        self.athletes = Shelf(self._archive, Athlete, lambda athlete: athlete.id)
        self.codes = Shelf(self._archive, Code, lambda code: code.code)
        self.grants = Shelf(self._archive, Grant, lambda grant: grant.athlete_id)
        self.accesses = Shelf(self._archive, Access, lambda access: access.token)
        self.subscriptions = Shelf(self._archive, Subscription, lambda one: one.id)
        self.events = Shelf(self._archive, Event, lambda event: event.id)
        self.faults = Shelf(self._archive, Fault, lambda fault: fault.id)
        self.counters = Shelf(self._archive, Counter, lambda counter: counter.name)
        self._activities = Shelf(self._archive, Activity, lambda one: one.id)
        self._by_athlete: dict[int, dict[int, Activity]] = {}
        for activity in self._activities:
            self._index(activity)
        self._singles: dict[type[Single], Any] = {
            kind: next(
                (kind(**body) for body in self._archive.read(kind.__name__)), None
            )
            for kind in (App, Limits, Usage, Delivery)
        }

    @contextmanager
    def change(self) -> Generator[None]:
        """Hold the world still; what was put is on disk when this returns."""
        with self.news:
            try:
                yield
            except Exception:
                # What was put before the refusal is in memory, so it is kept.
                self._archive.commit()
                raise
            self._archive.commit()

    def close(self) -> None:
        with self.news:
            self._archive.close()

    def time(self) -> float:
        return self.clock().timestamp()

    def now_s(self) -> int:
        return int(self.time())

    # The app and its settings: one record of each kind.

    def _only(self, kind: type[AnySingle]) -> AnySingle:
        single: AnySingle | None = self._singles[kind]
        return kind() if single is None else single

    @property
    def app(self) -> App:
        return self._only(App)

    @property
    def limits(self) -> Limits:
        return self._only(Limits)

    @property
    def usage(self) -> Usage:
        return self._only(Usage)

    @property
    def delivery(self) -> Delivery:
        return self._only(Delivery)

    def set(self, single: Single) -> None:
        self._singles[type(single)] = single
        self._archive.write(type(single).__name__, "only", vars(single))

    @property
    def subscription(self) -> Subscription | None:
        return next(iter(self.subscriptions), None)

    # Numbers: ids that never come back, and counts of what happened.

    def next_id(self, of: str) -> int:
        number = FIRST_NUMBERS.get(of, 0) + self.count(f"id:{of}")
        # An export may have brought activities with numbers as high as ours.
        taken = of == "activity" and number in self._activities
        return self.next_id(of) if taken else number

    def count(self, name: str) -> int:
        known = self.counters.get(name)
        value = 1 if known is None else known.value + 1
        self.counters.put(Counter(name=name, value=value))
        return value

    # Activities, found by id or by athlete.

    def activity(self, activity_id: int) -> Activity | None:
        return self._activities.get(activity_id)

    def activities(self) -> Iterator[Activity]:
        return iter(self._activities)

    def activities_of(self, athlete_id: int) -> list[Activity]:
        return list(self._by_athlete.get(athlete_id, {}).values())

    def put_activity(self, activity: Activity) -> None:
        self._activities.put(activity)
        self._index(activity)

    def remove_activity(self, activity: Activity) -> None:
        self._activities.remove(activity.id)
        self._by_athlete[activity.athlete_id].pop(activity.id, None)

    def _index(self, activity: Activity) -> None:
        self._by_athlete.setdefault(activity.athlete_id, {})[activity.id] = activity
