"""A small memory of what was computed, thrown away as soon as data change."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sync.database import Database

MOST_KEPT = 32
# Nobody asks for a deleted runner's again; whatever is asked for ends what is older.
LONGEST_S = 3600
# A runner, which state of their data, and what else the value hangs on.  A row's
# number may come back after a deletion, so the state names the runner's key, too.
Key: TypeAlias = tuple[int, Hashable, Hashable]
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The last values of a few runners, per database, shared by threads.

    None is found an hour after it was computed.
    """

    def __init__(
        self, most: int = MOST_KEPT, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._of: WeakKeyDictionary[Database, OrderedDict[Key, tuple[float, Value]]]
        self._of = WeakKeyDictionary()

    def find(self, db: Database, key: Key) -> Value | None:
        with self._lock:
            kept = self._young(db)
            if key not in kept:
                return None
            kept.move_to_end(key)
            return kept[key][1]

    def keep(self, db: Database, key: Key, value: Value) -> None:
        """Remember one value, and forget what the runner's older data gave."""
        with self._lock:
            kept = self._young(db)
            for old in [one for one in kept if one[0] == key[0] and one[1] != key[1]]:
                del kept[old]
            kept[key] = self._clock(), value
            while len(kept) > self._most:
                kept.popitem(last=False)

    def _young(self, db: Database) -> "OrderedDict[Key, tuple[float, Value]]":
        kept = self._of.setdefault(db, OrderedDict())
        since = self._clock() - LONGEST_S
        for old in [key for key, (at, _) in kept.items() if at <= since]:
            del kept[old]
        return kept
