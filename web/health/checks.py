"""Whether this process could do its work right now."""

from datetime import datetime
from typing import TypedDict

from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from sync import counters, work_status
from sync.runs.rules import LONGEST_WAIT
from sync.runtime import Runtime

Trouble = tuple[str, datetime] | None


class Readiness(TypedDict):
    """`strava` names how it failed us within the last hour; pages work without it."""

    database: str
    redis: str
    strava: str
    oldest_due_s: dict[str, int]


def readiness(runtime: Runtime) -> Readiness:
    redis = _redis(runtime)
    try:
        with runtime.db.reading() as session:
            now = runtime.db.now(session)
            _, late_s = work_status.waiting(session, now)
            trouble = counters.latest_trouble(session)
    except SQLAlchemyError:
        return Readiness(
            database="down", redis=redis, strava="unknown", oldest_due_s={}
        )
    return Readiness(
        database="ok", redis=redis, strava=_strava(trouble, now), oldest_due_s=late_s
    )


def _strava(trouble: Trouble, now: datetime) -> str:
    """Name a trouble until everything that waits for Strava has been tried again."""
    if trouble is None or now - trouble[1] > LONGEST_WAIT:
        return "ok"
    return trouble[0]


def _redis(runtime: Runtime) -> str:
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
