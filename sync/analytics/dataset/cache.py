"""A small memory of what was computed, thrown away as soon as data change."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sync.database import Database

MAX_ENTRIES = 32
# Nobody asks for a deleted runner's again; whatever is asked for ends what is older.
MAX_AGE_S = 3600
# A runner, which state of their data, and what else the value hangs on.  A row's
# number may come back after a deletion, so the state names the runner's key, too.
CacheKey: TypeAlias = tuple[int, Hashable, Hashable]
CachedValue = TypeVar("CachedValue")


class RunnerCache(Generic[CachedValue]):
    """The last values of a few runners, per database, shared by threads.

    None is found an hour after it was computed.
    """

    def __init__(
        self, max_entries: int = MAX_ENTRIES, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._lock = Lock()
        self._entries_by_database: WeakKeyDictionary[
            Database, OrderedDict[CacheKey, tuple[float, CachedValue]]
        ]
        self._entries_by_database = WeakKeyDictionary()

    def get(self, db: Database, key: CacheKey) -> CachedValue | None:
        with self._lock:
            entries = self._fresh_entries(db)
            if key not in entries:
                return None
            entries.move_to_end(key)
            return entries[key][1]

    def put(self, db: Database, key: CacheKey, value: CachedValue) -> None:
        """Remember one value, and forget what the runner's older data gave."""
        with self._lock:
            entries = self._fresh_entries(db)
            for stale_key in [
                cached_key
                for cached_key in entries
                if cached_key[0] == key[0] and cached_key[1] != key[1]
            ]:
                del entries[stale_key]
            entries[key] = self._clock(), value
            while len(entries) > self._max_entries:
                entries.popitem(last=False)

    def _fresh_entries(
        self, db: Database
    ) -> "OrderedDict[CacheKey, tuple[float, CachedValue]]":
        entries = self._entries_by_database.setdefault(db, OrderedDict())
        oldest_allowed = self._clock() - MAX_AGE_S
        for expired_key in [
            key
            for key, (stored_at, _) in entries.items()
            if stored_at <= oldest_allowed
        ]:
            del entries[expired_key]
        return entries
