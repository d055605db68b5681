"""A small cache of what was computed for a few runners, dropped when data change."""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from cachetools import TTLCache

from sync.database import Database

MAX_ENTRIES = 32
MAX_AGE_S = 3600
# A runner, the state of their data, and what else the value depends on.  A number may
# come back with a restored backup, so the state contains the runner's key, too.
CacheKey: TypeAlias = tuple[int, Hashable, Hashable]
CachedValue = TypeVar("CachedValue")


class RunnerCache(Generic[CachedValue]):
    """The values used last, per database, shared by threads.

    All together have at most `max_entries`, or as much of what `get_size` measures;
    a value that is larger than that is not kept.  Every access drops all values that
    are older than an hour, also those of runners who were deleted since.
    """

    def __init__(
        self,
        max_entries: int = MAX_ENTRIES,
        *,
        get_size: Callable[[CachedValue], int] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._max_size = max_entries
        self._get_size = get_size
        self._clock = clock
        self._lock = Lock()
        self._caches: WeakKeyDictionary[Database, TTLCache[CacheKey, CachedValue]] = (
            WeakKeyDictionary()
        )

    def get(self, db: Database, key: CacheKey) -> CachedValue | None:
        with self._lock:
            return self._fresh_cache(db).get(key)

    def put(self, db: Database, key: CacheKey, value: CachedValue) -> None:
        """Store one value, and drop those of the runner's older data."""
        with self._lock:
            cache = self._fresh_cache(db)
            for old in [old for old in cache if old[0] == key[0] and old[1] != key[1]]:
                del cache[old]
            if self._get_size is None or self._get_size(value) <= self._max_size:
                cache[key] = value

    def _fresh_cache(self, db: Database) -> TTLCache[CacheKey, CachedValue]:
        cache = self._caches.get(db)
        if cache is None:
            cache = TTLCache(self._max_size, MAX_AGE_S, self._clock, self._get_size)
            self._caches[db] = cache
        cache.expire()
        return cache
