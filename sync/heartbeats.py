"""Signs of life in Redis: that the schedule ticks, and that wake-ups arrive.

An age is read from how much of a key's lifetime is left, by Redis' own clock alone:
no clocks of two machines are compared.
"""

from contextlib import suppress
from enum import StrEnum
from functools import lru_cache

from redis import Redis, RedisError

LIFETIME_S = 7 * 24 * 3600
# The schedule ticks once a minute, and a busy worker may be late.
MAX_AGE_S = 180
PROBE_LIFETIME_S = 60
_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 2}


class Heartbeat(StrEnum):
    """What shows that it is alive: the schedule by its ticks, workers by their work."""

    SCHEDULE = "schedule"
    WORKERS = "workers"


def record(redis_url: str, heartbeat: Heartbeat) -> None:
    """Show that it is alive just now; a Redis that is away shows in other ways."""
    with suppress(RedisError, OSError, ValueError):
        _connect(redis_url).set(_key(heartbeat), 1, ex=LIFETIME_S)


def read_age_s(redis_url: str, heartbeat: Heartbeat) -> int | None:
    """Return for how long nothing was heard; None if nothing is known.

    Raises `RedisError` or `OSError` if Redis is away.
    """
    left_s = int(_connect(redis_url).ttl(_key(heartbeat)))
    return LIFETIME_S - left_s if left_s >= 0 else None


def record_probe(redis_url: str, probe_id: str) -> None:
    """Show whoever sent a probe that a worker has taken it."""
    with suppress(RedisError, OSError, ValueError):
        _connect(redis_url).set(_probe_key(probe_id), 1, ex=PROBE_LIFETIME_S)


def has_arrived(redis_url: str, probe_id: str) -> bool:
    return bool(_connect(redis_url).exists(_probe_key(probe_id)))


@lru_cache(maxsize=4)
def _connect(redis_url: str) -> Redis:
    return Redis.from_url(redis_url, **_OPTIONS)


def _key(heartbeat: Heartbeat) -> str:
    return f"moodmiles:alive:{heartbeat}"


def _probe_key(probe_id: str) -> str:
    return f"moodmiles:probe:{probe_id}"
