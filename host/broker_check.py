"""The doctor's look at Redis, at the schedule, and at wake-ups that arrive.

A wake-up is tried by the code that work wakes by, so that a fault is the very one
that work would meet; each is one sentence with its cure.
"""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from redis import Redis, RedisError

from host import redis_server
from host.checks import require_encrypted_redis
from host.errors import ActionRequired, quote_words
from host.expiry_checks import Outdated
from sync import heartbeats
from sync.broker_faults import BrokerFailed
from sync.heartbeats import Heartbeat
from sync.queue import CeleryQueue
from sync.settings import Settings
from sync.vocabulary import BrokerFault

AnswerT = TypeVar("AnswerT")

_TIMEOUT_S = 5
# What was started together with the doctor may need a moment.
_PROBE_WAIT_S = 5.0
_TICK_WAIT_S = 3.0
_POLL_INTERVAL_S = 0.05
_URL = "MOODMILES_REDIS_URL"

# {place} is the server's host and port, {words} what it said, {host} its name.
SENTENCES: dict[BrokerFault, str] = {
    BrokerFault.ADDRESS: (
        "{url} cannot be used ({words}): write redis://:password@host:6379/0, the "
        "number at its end being a database's."
    ),
    BrokerFault.NAME_NOT_FOUND: (
        "No machine is called {host}: correct the host in {url}, or this machine's "
        "name server."
    ),
    BrokerFault.CONNECTION_REFUSED: (
        "Redis does not answer at {place}, which refuses the connection: start it, or "
        "correct host and port in {url}."
    ),
    BrokerFault.UNREACHABLE: (
        "There is no way from here to Redis at {place}: look at this machine's "
        "network, or correct the host in {url}."
    ),
    BrokerFault.TIMED_OUT: (
        "Redis does not answer at {place} in time: a firewall may be in between, or "
        "Redis is overloaded or has hung; start it again, or correct {url}."
    ),
    BrokerFault.HUNG_UP: (
        "{place} hangs up at once: if it is Redis with TLS, begin {url} with "
        "rediss://; else correct host and port."
    ),
    BrokerFault.NOT_REDIS: (
        "What answers at {place} is no Redis: correct host and port in {url}; if it "
        "is Redis with TLS, begin with rediss://."
    ),
    BrokerFault.NO_TLS: (
        "{place} and this machine agree on no TLS: begin {url} with redis:// if that "
        "Redis has none, or update it."
    ),
    BrokerFault.CERTIFICATE: (
        "The certificate of {place} is not trusted ({words}): renew it, or name its "
        "authority by ?ssl_ca_certs=FILE at the end of {url}."
    ),
    BrokerFault.PASSWORD_REFUSED: (
        "Redis at {place} refuses the password in {url} or MOODMILES_REDIS_PASSWORD "
        "({words}): set the one of its requirepass or ACL."
    ),
    BrokerFault.NO_PERMISSION: (
        "The user in {url} may not do what a wake-up needs ({words}): let it use all "
        "commands but those of @admin, on all keys and channels."
    ),
    BrokerFault.PROTECTED: (
        "Redis at {place} is in protected mode and answers its own machine alone: "
        "give it a password (requirepass), and set it in {url}."
    ),
    BrokerFault.NO_SUCH_DATABASE: (
        "Redis at {place} has no database of the number at the end of {url}: end it "
        "in /0."
    ),
    BrokerFault.READ_ONLY: (
        "Redis at {place} answers and takes no writes ({words}): it is a replica or "
        "has too few of them, so name the primary in {url}."
    ),
    BrokerFault.CANNOT_SAVE: (
        "Redis at {place} answers and takes no writes, as it cannot save ({words}): "
        "make room on its disk, or see its log."
    ),
    BrokerFault.MEMORY_FULL: (
        "Redis at {place} answers and takes no writes, as its memory is full: raise "
        "its maxmemory, or empty it (nothing is lost by that)."
    ),
    BrokerFault.LOADING: (
        "Redis at {place} is still loading its files: wait a moment; if it takes long, "
        "empty its folder (nothing is lost by that)."
    ),
    BrokerFault.TOO_MANY_CLIENTS: (
        "Redis at {place} has as many clients as it may have: raise its maxclients, or "
        "stop the others."
    ),
    BrokerFault.CLUSTER: (
        "Redis at {place} is a cluster, which wake-ups cannot go through: name a "
        "single server in {url}."
    ),
    BrokerFault.NOT_FORESEEN: (
        "No wake-up can be sent by Redis at {place} ({words}): check {url}, and look "
        "at the server's log."
    ),
}


def check_redis(settings: Settings) -> str:
    """Send a wake-up to nobody, as work sends them, and ask for the version."""
    require_redis_url(settings)
    if fault := find_redis_fault(settings):
        raise ActionRequired(fault)
    try:
        with Redis.from_url(
            settings.redis_url,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
        ) as client:
            version = str(client.info("server").get("redis_version", ""))
    except (RedisError, OSError) as error:
        # Work goes on: it never asks.
        raise Outdated(
            f"Redis takes wake-ups and does not say its version "
            f"({type(error).__name__}), which must be 6.2 or newer: allow INFO to the "
            f"user in {_URL}."
        ) from None
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    if tuple(numbers) < redis_server.MIN_VERSION:
        raise ActionRequired(f"Redis {version} is too old: 6.2 or newer is needed.")
    require_encrypted_redis(settings.redis_url)
    return f"version {version}, takes wake-ups"


def find_redis_fault(settings: Settings) -> str:
    """Return what keeps wake-ups from being sent, in one sentence; else nothing."""
    try:
        CeleryQueue(settings.redis_url).check()
    except BrokerFailed as failure:
        return explain_broker_failure(settings, failure)
    return ""


def check_schedule(settings: Settings) -> str:
    """Report the last tick of the schedule, which wakes all work once a minute."""
    require_redis_url(settings)

    def read_age_s() -> int | None:
        return heartbeats.read_age_s(settings.redis_url, Heartbeat.SCHEDULE)

    _ask_redis(
        lambda: _wait_until(lambda: read_age_s() is not None, wait_s=_TICK_WAIT_S)
    )
    age_s = _ask_redis(read_age_s)
    cure = (
        f"start `moodmiles beat`, with the same {_URL} as here, or look into its log."
    )
    if age_s is None:
        raise ActionRequired(f"The schedule has not ticked at this Redis: {cure}")
    if age_s > heartbeats.MAX_AGE_S:
        raise ActionRequired(
            f"The schedule last ticked {age_s // 60} minutes ago, and should each "
            f"minute: {cure}"
        )
    return f"ticked {age_s} s ago"


def check_workers(settings: Settings) -> str:
    """Send a wake-up as work does, and see that a worker takes it."""
    require_redis_url(settings)
    try:
        probe_id = CeleryQueue(settings.redis_url).send_probe()
    except BrokerFailed:
        raise _build_not_checked() from None

    def has_arrived() -> bool:
        return heartbeats.has_arrived(settings.redis_url, probe_id)

    if _ask_redis(lambda: _wait_until(has_arrived, wait_s=_PROBE_WAIT_S)):
        return "took a wake-up at once"
    age_s = _ask_redis(
        lambda: heartbeats.read_age_s(settings.redis_url, Heartbeat.WORKERS)
    )
    if age_s is not None and age_s <= heartbeats.MAX_AGE_S:
        return f"are busy: the last took a wake-up {age_s} s ago"
    raise ActionRequired(
        f"No worker took a wake-up within {_PROBE_WAIT_S:.0f} s: start `moodmiles "
        f"worker`, with the same {_URL} as here."
    )


def explain_broker_failure(settings: Settings, failure: BrokerFailed) -> str:
    """Return one sentence that tells a fault apart from others and names its cure."""
    parts = urlsplit(settings.redis_url)
    words = failure.text
    # A server that does not know a command repeats what stands behind it.
    for secret in filter(None, (parts.password, unquote(parts.password or ""))):
        words = words.replace(secret, "***")
    address = parts.netloc.rpartition("@")[2] or parts.path
    return SENTENCES[failure.fault].format(
        place=address,
        host=address.rpartition(":")[0] or address,
        words=quote_words(words),
        url=_URL,
    )


def require_redis_url(settings: Settings) -> None:
    if not settings.redis_url:
        raise ActionRequired(f"Set {_URL}, or start `moodmiles up`.")


def _ask_redis(question: Callable[[], AnswerT]) -> AnswerT:
    try:
        return question()
    except (RedisError, OSError, ValueError):
        raise _build_not_checked() from None


def _build_not_checked() -> ActionRequired:
    return ActionRequired("Not checked: see redis' line.")


def _wait_until(condition: Callable[[], bool], *, wait_s: float) -> bool:
    ends_at = monotonic() + wait_s
    while not (is_true := condition()) and monotonic() < ends_at:
        sleep(_POLL_INTERVAL_S)
    return is_true
