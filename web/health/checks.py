"""Whether the parts that this process needs answer right now."""

from typing import TypedDict

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from sync import counters, work_status
from sync.backoff import MAX_WAIT
from sync.runtime import Runtime


class Readiness(TypedDict):
    """`strava` names its latest error of the last hour; pages work without it."""

    database: str
    redis: str
    strava: str
    oldest_due_s: dict[str, int]


def check_readiness(runtime: Runtime) -> Readiness:
    redis_status = ping_redis(runtime.settings.redis_url)
    try:
        with runtime.db.read_only() as session:
            now = runtime.db.now(session)
            late_s = work_status.count_due(session, now).late_s
            latest_error = counters.latest_strava_error(session)
    except SQLAlchemyError:
        return Readiness(
            database="down", redis=redis_status, strava="unknown", oldest_due_s={}
        )
    strava_status = "ok"
    # After the longest wait of a retry, everything has been tried again.
    if latest_error is not None and now - latest_error[1] <= MAX_WAIT:
        strava_status = latest_error[0]
    return Readiness(
        database="ok", redis=redis_status, strava=strava_status, oldest_due_s=late_s
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
