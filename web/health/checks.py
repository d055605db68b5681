"""Whether the parts that this process needs answer right now."""

from typing import TypedDict

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from sync import counters, part_failures, work_status
from sync.backoff import MAX_WAIT
from sync.runtime import Runtime


class Readiness(TypedDict):
    """`strava` names its latest error of the last hour; pages work without it.

    `failing_parts` are those that end again and again, and how often of late.
    """

    database: str
    redis: str
    strava: str
    oldest_due_s: dict[str, int]
    failing_parts: dict[str, int]


def check_readiness(runtime: Runtime) -> Readiness:
    redis_status = ping_redis(runtime.settings.redis_url)
    failing_parts = part_failures.read_failing(
        runtime.settings.data_dir,
        runtime.settings.redis_url if redis_status == "ok" else "",
    )
    try:
        with runtime.db.read_only() as session:
            now = runtime.db.now(session)
            late_s = work_status.count_due(session, now).late_s
            latest_error = counters.latest_strava_error(session)
    except SQLAlchemyError:
        return Readiness(
            database="down",
            redis=redis_status,
            strava="unknown",
            oldest_due_s={},
            failing_parts=failing_parts,
        )
    strava_status = "ok"
    # After the longest wait of a retry, everything has been tried again.
    if latest_error is not None and now - latest_error[1] <= MAX_WAIT:
        strava_status = latest_error[0]
    return Readiness(
        database="ok",
        redis=redis_status,
        strava=strava_status,
        oldest_due_s=late_s,
        failing_parts=failing_parts,
    )


def ping_redis(url: str) -> str:
    """Return "ok" or "down"; "none" without an address."""
    if not url:
        return "none"
    client = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=1)
    try:
        client.ping()
    except (RedisError, OSError):
        return "down"
    finally:
        client.close()
    return "ok"
