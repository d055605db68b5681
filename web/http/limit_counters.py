"""Counting on Redis for every web process together, or alone while it is away."""

from math import ceil
from time import monotonic, time

import structlog
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger()

_PREFIX = "moodmiles:limit"
_TIMEOUT_S = 0.5
# A Redis that is away costs each request this much patience at most this often.
_LOOK_AGAIN_S = 10


class Counters:
    """How often something happened lately, by keys that tell nobody anything."""

    def __init__(self, redis_url: str) -> None:
        self._alone = MovingWindowRateLimiter(MemoryStorage())
        self._together = _on_redis(redis_url) if redis_url else None
        self._alone_until = 0.0

    def wait_s(self, limit: RateLimitItem, *keys: str, counts: bool = True) -> int:
        """Count once more; return 0, or in how many seconds there is room again.

        What is refused is not counted, nor is anything unless it `counts`.
        """
        if self._together is not None and monotonic() >= self._alone_until:
            try:
                return _wait_s(self._together, limit, keys, counts=counts)
            except StorageError as error:
                log.warning("limits are counted alone", error=type(error).__name__)
                self._alone_until = monotonic() + _LOOK_AGAIN_S
        return _wait_s(self._alone, limit, keys, counts=counts)


def _on_redis(url: str) -> MovingWindowRateLimiter:
    storage = RedisStorage(
        url,
        key_prefix=_PREFIX,
        wrap_exceptions=True,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
    )
    return MovingWindowRateLimiter(storage)


def _wait_s(
    counter: MovingWindowRateLimiter,
    limit: RateLimitItem,
    keys: tuple[str, ...],
    *,
    counts: bool,
) -> int:
    if (counter.hit if counts else counter.test)(limit, *keys):
        return 0
    return max(1, ceil(counter.get_window_stats(limit, *keys).reset_time - time()))
