"""A small memory of what was computed, thrown away as soon as data change."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sync.database import Database

MOST_KEPT = 32
# A runner, which state of their data, and what else the value hangs on.  A row's
# number may come back after a deletion, so the state names the runner's key, too.
Key: TypeAlias = tuple[int, Hashable, Hashable]
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The last values of a few runners, per database, shared by threads."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
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
            for old in [one for one in kept if one[0] == key[0] and one[1] != key[1]]:
                del kept[old]
            kept[key] = value
            while len(kept) > self._most:
                kept.popitem(last=False)
