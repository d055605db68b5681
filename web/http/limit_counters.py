"""Counters of uses in a moving window, shared by all web processes through Redis."""

from math import ceil
from time import monotonic, time

import structlog
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from sync.setting_urls import to_limits_url

log = structlog.get_logger()

_PREFIX = "moodmiles:limit"
_TIMEOUT_S = 0.5
# A Redis that is away costs each request this much patience at most this often.
_REDIS_RETRY_S = 10


class RateLimiter:
    """Counts on Redis for all processes, or in this process while Redis is away."""

    def __init__(self, redis_url: str) -> None:
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url:
            storage = RedisStorage(
                to_limits_url(redis_url),
                key_prefix=_PREFIX,
                wrap_exceptions=True,
                socket_connect_timeout=_TIMEOUT_S,
                socket_timeout=_TIMEOUT_S,
            )
            self._shared = MovingWindowRateLimiter(storage)
        self._local_until = 0.0

    def retry_after_s(
        self, limit: RateLimitItem, *keys: str, consume: bool = True
    ) -> int:
        """Count one use; return 0, or the seconds until there is room again.

        A refused use is not counted, nor is any use without `consume`.
        """
        if self._shared is not None and monotonic() >= self._local_until:
            try:
                return _retry_after_s(self._shared, limit, keys, consume=consume)
            except StorageError as error:
                log.warning("limits are counted alone", error=type(error).__name__)
                self._local_until = monotonic() + _REDIS_RETRY_S
        return _retry_after_s(self._local, limit, keys, consume=consume)


def _retry_after_s(
    limiter: MovingWindowRateLimiter,
    limit: RateLimitItem,
    keys: tuple[str, ...],
    *,
    consume: bool,
) -> int:
    if (limiter.hit if consume else limiter.test)(limit, *keys):
        return 0
    return max(1, ceil(limiter.get_window_stats(limit, *keys).reset_time - time()))
