"""Whether this process could do its work right now."""

from typing import TypedDict

from redis import Redis, RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from sync.models import Backfill, Event, Mail
from sync.runtime import Runtime

# Everything that waits for a worker, by name.
DUE = {"inbox": Event.due_at, "backfill": Backfill.due_at, "outbox": Mail.due_at}


class Readiness(TypedDict):
    database: str
    redis: str
    oldest_due_s: dict[str, int]


def readiness(runtime: Runtime) -> Readiness:
    try:
        with runtime.db.reading() as session:
            late = lateness(runtime, session)
    except SQLAlchemyError:
        return {"database": "down", "redis": _redis(runtime), "oldest_due_s": {}}
    return {"database": "ok", "redis": _redis(runtime), "oldest_due_s": late}


def lateness(runtime: Runtime, session: Session) -> dict[str, int]:
    """Return for each kind of work how long the oldest due row has waited."""
    now = runtime.db.now(session)
    late = {}
    for name, due_at in DUE.items():
        oldest = session.scalar(select(func.min(due_at)).where(due_at <= now))
        late[name] = int((now - oldest).total_seconds()) if oldest else 0
    return late


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
