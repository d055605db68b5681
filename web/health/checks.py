"""Whether this process could do its work right now."""

from datetime import datetime
from typing import TypedDict

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from sync import counters, work_status
from sync.backoff import MAX_WAIT
from sync.runtime import Runtime

LatestError = tuple[str, datetime] | None


class Readiness(TypedDict):
    """`strava` names how it failed us within the last hour; pages work without it."""

    database: str
    redis: str
    strava: str
    oldest_due_s: dict[str, int]


def check_readiness(runtime: Runtime) -> Readiness:
    redis_status = _get_redis_status(runtime)
    try:
        with runtime.db.read_only() as session:
            now = runtime.db.now(session)
            late_s = work_status.count_due(session, now).late_s
            latest_error = counters.latest_strava_error(session)
    except SQLAlchemyError:
        return Readiness(
            database="down", redis=redis_status, strava="unknown", oldest_due_s={}
        )
    return Readiness(
        database="ok",
        redis=redis_status,
        strava=_get_strava_status(latest_error, now),
        oldest_due_s=late_s,
    )


def _get_strava_status(latest_error: LatestError, now: datetime) -> str:
    """Name a trouble until everything that waits for Strava has been tried again."""
    if latest_error is None or now - latest_error[1] > MAX_WAIT:
        return "ok"
    return latest_error[0]


def _get_redis_status(runtime: Runtime) -> str:
    if not runtime.settings.redis_url:
        return "none"
    client = Redis.from_url(
        runtime.settings.redis_url, socket_connect_timeout=0.5, socket_timeout=1
    )
    try:
        client.ping()
    except (RedisError, OSError):
        return "down"
    finally:
        client.close()
    return "ok"
