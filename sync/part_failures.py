"""Parts that end again and again: the rule, and who records their ends.

Under `moodmiles up` the supervisor sees each end and publishes the failing parts in a
file of the data directory.  In production nobody of ours sees a part end: there,
`moodmiles web`, `worker` and `beat` record each start in Redis, and take the record
back when they end as they were asked to.  The next start on that machine counts a
record whose process has gone as an end.
"""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from redis import Redis, RedisError

# Where Celery itself looks.  Only what `moodmiles web` or `beat` became finds it here.
BROKER_VARIABLE = "CELERY_BROKER_URL"
# Those that a host's own supervisor starts, in production.
RECORDED_PARTS = ("web", "worker", "beat")
FAILING_FILE = "parts.json"
# So many ends in this time are no accident; fewer may be an update or a full memory.
MIN_ENDS, WINDOW_S = 3, 15 * 60.0
# Nobody asks for more.
MAX_ENDS = 100
# However short its life: it may just be starting once more.
MIN_RECOVERY_S = 60.0
_ENDS_PREFIX = "moodmiles:ends:"
_STARTS_PREFIX = "moodmiles:starts:"
_TIMEOUT_S = 0.5


def count_ends(ended_at: Sequence[float], now: float) -> int:
    """Return how often a part ended within `WINDOW_S`; all times are in seconds."""
    return sum(now - at <= WINDOW_S for at in ended_at)


def is_failing(ended_at: Sequence[float], now: float) -> bool:
    """Whether a part ends again and again, and has not recovered since.

    It has recovered when it has run for twice as long as it took between two ends, so
    that a part which dies every few minutes does not seem well in between.
    """
    recent = [at for at in ended_at if now - at <= WINDOW_S]
    if len(recent) < MIN_ENDS:
        return False
    longest_life = max(later - earlier for earlier, later in pairwise(recent))
    return now - recent[-1] < max(MIN_RECOVERY_S, 2 * longest_life)


def encode_failing(failing: Mapping[str, int]) -> dict[str, Any]:
    """Return the content of the supervisor's file: the parts, and who says so."""
    return {"supervisor": identify_process(os.getpid()), "failing": dict(failing)}


def read_failing(data_dir: Path, redis_url: str) -> dict[str, int]:
    """Return the parts that end again and again, and how often of late."""
    return read_recorded(redis_url) | read_published(data_dir)


def read_published(data_dir: Path) -> dict[str, int]:
    """Return what the running supervisor of a data directory has published."""
    try:
        path = data_dir / FAILING_FILE
        content = json.loads(path.read_bytes()) if path.is_file() else {}
        # What a killed supervisor left says nothing about now.
        if not content or not _is_running(content["supervisor"]):
            return {}
        return {str(name): int(count) for name, count in content["failing"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def read_recorded(redis_url: str) -> dict[str, int]:
    """Return the failing parts of production by what is recorded in Redis."""
    if not redis_url:
        return {}
    failing = {}
    with suppress(RedisError, OSError, ValueError), _open_redis(redis_url) as redis:
        now = _read_clock(redis)
        for part in RECORDED_PARTS:
            ends = redis.zrange(f"{_ENDS_PREFIX}{part}", 0, -1, withscores=True)
            ended_at = [at for _, at in ends]
            if is_failing(ended_at, now):
                failing[part] = count_ends(ended_at, now)
    return failing


def record_start(part: str, redis_url: str) -> None:
    """Record that this process is a part; count those before it that broke off.

    A Redis that does not answer is no reason not to start.
    """
    starts_key = f"{_STARTS_PREFIX}{part}:{socket.gethostname()}"
    own_id = identify_process(os.getpid())
    with suppress(RedisError, OSError, ValueError), _open_redis(redis_url) as redis:
        now = _read_clock(redis)
        for process_id in redis.hkeys(starts_key):
            has_ended = process_id != own_id and not _is_running(process_id)
            # Several may see it, and one counts it.
            if has_ended and redis.hdel(starts_key, process_id):
                name = f"{socket.gethostname()}:{process_id}"
                redis.zadd(f"{_ENDS_PREFIX}{part}", {name: now})
        redis.zremrangebyscore(f"{_ENDS_PREFIX}{part}", "-inf", now - WINDOW_S)
        redis.zremrangebyrank(f"{_ENDS_PREFIX}{part}", 0, -MAX_ENDS - 1)
        redis.expire(f"{_ENDS_PREFIX}{part}", int(WINDOW_S))
        redis.hset(starts_key, own_id, str(now))
        redis.expire(starts_key, int(WINDOW_S))


def record_wanted_end(part: str, redis_url: str) -> None:
    """Take back the record of this process, if there is one: its end was asked for."""
    if not redis_url:
        return
    starts_key = f"{_STARTS_PREFIX}{part}:{socket.gethostname()}"
    with suppress(RedisError, OSError, ValueError), _open_redis(redis_url) as redis:
        redis.hdel(starts_key, identify_process(os.getpid()))


def identify_process(pid: int) -> str:
    """Return what no other process of this machine has: its number and its start."""
    try:
        # Field 22; the second one is a name, which may hold spaces.
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return f"{pid}:"
    return f"{pid}:{status[19]}" if status[0] != "Z" else f"{pid}:ended"


def _is_running(process_id: str) -> bool:
    pid, _, started = process_id.partition(":")
    if started:
        return identify_process(int(pid)) == process_id
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _open_redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        decode_responses=True,
    )


def _read_clock(redis: Redis) -> float:
    """Return the seconds of Redis' clock, which all machines share."""
    seconds, microseconds = redis.time()
    return float(seconds + microseconds / 1e6)
