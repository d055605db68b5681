"""Messages that wake the workers, whichever machine they run on.

The tables say what is due; a wake-up only says "look now".  At most one
wake-up per kind of work is pending, and one that gets lost does no harm: the
minute's wake-up of all queues finds its row anyway.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from time import time
from typing import Any, Protocol
from uuid import uuid4

import structlog
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from kombu.pools import producers
from redis import Redis, RedisError
from typing_extensions import override

from sync.broker_faults import build_failure
from sync.heartbeats import PROBE_LIFETIME_S
from sync.setting_urls import to_broker_url

log = structlog.get_logger()

# Long enough to coalesce a burst, short enough that a wake-up lost between
# here and a worker is soon sent again.
PENDING_TTL_S = 5
# Beyond a minute the row's `due_at` and the minute's wake-up do the waiting: a broker
# may deliver a message with a long delay twice.
MAX_DELAY_S = 60
_CELERY_QUEUE = "celery"
_CHECK_KEY = "moodmiles:check"
# Nobody listens to it: what a check leaves there, it takes away.
_CHECK_QUEUE = "moodmiles.check"
# What Celery keeps under which name; a worker ends where it finds another kind.
_KINDS_OF_KEYS = {
    _CELERY_QUEUE: "list",
    f"_kombu.binding.{_CELERY_QUEUE}": "set",
    "unacked": "hash",
    "unacked_index": "zset",
    "unacked_mutex": "string",
}
# Whoever wrote there something else may want to see it.
_SET_ASIDE_S = 7 * 24 * 3600
# What a worker does with a probe is to say that it came.
PROBE_TASK = "probe"
_PROBE_LIFETIME = timedelta(seconds=PROBE_LIFETIME_S)
BROKER_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 30,
}


class Job(StrEnum):
    """The kinds of work that can be due."""

    INBOX = "inbox"
    BACKFILL = "backfill"
    SURVEYS = "surveys"
    CHECKINS = "checkins"
    DIGEST = "digest"
    OUTBOX = "outbox"
    RECONCILE = "sweep"
    REMOVALS = "leaving"
    EXPORT = "export"


class Queue(Protocol):
    def wake(self, job: Job, *, after_s: float = 0) -> None:
        """Ask a worker to look for due `work`, now or soon; never raises."""
        ...

    def mark_started(self, job: Job) -> None:
        """Say that a worker is about to look, so that later work wakes again."""
        ...


def publish_task(
    broker: Connection,
    task: str,
    *,
    after_s: float = 0,
    expires: timedelta | None = None,
    queue: str = _CELERY_QUEUE,
) -> str:
    """Ask for a Celery task by its name; return the message's id.

    Raises what the broker raises.

    Celery publishes its messages' form for those who only send: its own producer
    would cost every web process and the schedule six megabytes.
    https://docs.celeryq.dev/en/stable/internals/protocol.html#version-2
    """
    headers = _task_headers(task, after_s=after_s, expires=expires)
    with producers[broker].acquire(block=True) as producer:
        producer.publish(
            [
                [],
                {},
                {"callbacks": None, "errbacks": None, "chain": None, "chord": None},
            ],
            routing_key=queue,
            headers=headers,
            correlation_id=headers["id"],
            serializer="json",
            retry=True,
            retry_policy={"max_retries": 1, "interval_start": 0},
        )
    return str(headers["id"])


def _task_headers(
    task: str, *, after_s: float, expires: timedelta | None
) -> dict[str, Any]:
    task_id, now = str(uuid4()), datetime.now(UTC)
    return {
        "lang": "py",
        "task": task,
        "id": task_id,
        "root_id": task_id,
        "parent_id": None,
        "group": None,
        "eta": (now + timedelta(seconds=after_s)).isoformat() if after_s else None,
        "expires": (now + expires).isoformat() if expires else None,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": "{}",
        "ignore_result": True,
    }


class CeleryQueue(Queue):
    """Sends wake-ups by task name, so that nothing here imports a task."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url

    @cached_property
    def _redis(self) -> Redis:
        return Redis.from_url(self._url, socket_connect_timeout=0.5, socket_timeout=2)

    @cached_property
    def _broker(self) -> Connection:
        return Connection(to_broker_url(self._url), transport_options=BROKER_OPTIONS)

    @override
    def wake(self, job: Job, *, after_s: float = 0) -> None:
        if not self._url or after_s > MAX_DELAY_S:
            return
        try:
            # Later wake-ups coalesce per second; only immediate ones are cleared by the
            # worker that takes them.
            key = _pending_key(job)
            if after_s:
                key = f"{key}:{int(time() + after_s)}"
            ttl_s = PENDING_TTL_S + int(after_s)
            if self._redis.set(key, 1, nx=True, ex=ttl_s):
                publish_task(self._broker, task_name(job), after_s=after_s)
        except (RedisError, OperationalError, OSError, ValueError) as error:
            log.warning("wake-up not sent", work=job, error=type(error).__name__)

    def check(self) -> None:
        """Go through every step of a wake-up without waking anybody.

        Raises `BrokerFailed` with what would keep a wake-up from being sent.
        """
        try:
            self._redis.set(_CHECK_KEY, 1, ex=PENDING_TTL_S)
            publish_task(self._broker, PROBE_TASK, queue=_CHECK_QUEUE)
            self._redis.delete(_CHECK_KEY, _CHECK_QUEUE)
        # Whatever a wrong address makes these libraries raise, the host is told.
        except Exception as error:  # noqa: BLE001
            raise build_failure(error) from None

    def set_foreign_keys_aside(self) -> list[str]:
        """Rename what is none of Celery's under Celery's names; return those names.

        It is kept for a week.  A Redis that is away has none.
        """
        renamed = []
        try:
            for name, kind in _KINDS_OF_KEYS.items():
                if self._redis.type(name) not in {kind.encode(), b"none"}:
                    new_name = f"moodmiles:set-aside:{name}"
                    self._redis.rename(name, new_name)
                    self._redis.expire(new_name, _SET_ASIDE_S)
                    renamed.append(name)
        except (RedisError, OSError, ValueError) as error:
            log.warning("keys not looked at", error=type(error).__name__)
        return renamed

    def send_probe(self) -> str:
        """Send a wake-up as all are sent, which a worker answers; return its id.

        Raises `BrokerFailed`.
        """
        try:
            return publish_task(self._broker, PROBE_TASK, expires=_PROBE_LIFETIME)
        except Exception as error:  # noqa: BLE001 - as above
            raise build_failure(error) from None

    @override
    def mark_started(self, job: Job) -> None:
        if not self._url:
            return
        try:
            self._redis.delete(_pending_key(job))
        except (RedisError, OSError, ValueError) as error:
            log.warning("wake-up not cleared", work=job, error=type(error).__name__)


def task_name(job: Job) -> str:
    return f"drain.{job}"


def _pending_key(job: Job) -> str:
    return f"moodmiles:pending:{job}"
