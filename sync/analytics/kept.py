"""A small memory of what was computed, thrown away as soon as data change."""

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sync.database import Database

MOST_KEPT = 32
Key: TypeAlias = tuple[int, int, int, str]  # runner, data version, today, unit
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The last values of a few runners, per database, shared by threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: WeakKeyDictionary[Database, OrderedDict[Key, Value]]
        self._of = WeakKeyDictionary()

    def find(self, db: Database, key: Key) -> Value | None:
        with self._lock:
            kept = self._of.get(db, OrderedDict())
            if key in kept:
                kept.move_to_end(key)
            return kept.get(key)

    def keep(self, db: Database, key: Key, value: Value) -> None:
        """Remember one value, and forget what the runner's older data gave."""
        with self._lock:
            kept = self._of.setdefault(db, OrderedDict())
            for old in [one for one in kept if one[0] == key[0]]:
                del kept[old]
            kept[key] = value
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)
