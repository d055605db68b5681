"""What an error of Redis, or of the line to it, means."""

import socket
import ssl
from collections.abc import Iterator, Sequence

from kombu.exceptions import KombuError
from redis import exceptions as redis_errors

from sync.errors import MoodmilesError, quote_server
from sync.vocabulary import BrokerFault

# The first word of a refusal; https://redis.io/docs/latest/develop/reference/protocol-spec/
_FAULTS_BY_CODE = {
    "WRONGPASS": BrokerFault.PASSWORD_REFUSED,
    "NOAUTH": BrokerFault.PASSWORD_REFUSED,
    "NOPERM": BrokerFault.NO_PERMISSION,
    "DENIED": BrokerFault.PROTECTED,
    "MISCONF": BrokerFault.CANNOT_SAVE,
    "OOM": BrokerFault.MEMORY_FULL,
    "READONLY": BrokerFault.READ_ONLY,
    "NOREPLICAS": BrokerFault.READ_ONLY,
    "MASTERDOWN": BrokerFault.READ_ONLY,
    "LOADING": BrokerFault.LOADING,
    "MOVED": BrokerFault.CLUSTER,
    "CLUSTERDOWN": BrokerFault.CLUSTER,
    "CROSSSLOT": BrokerFault.CLUSTER,
}
_FAULTS_BY_PHRASE = {
    "invalid username-password": BrokerFault.PASSWORD_REFUSED,
    "invalid password": BrokerFault.PASSWORD_REFUSED,
    "without any password configured": BrokerFault.PASSWORD_REFUSED,
    "authentication required": BrokerFault.PASSWORD_REFUSED,
    "has no permissions": BrokerFault.NO_PERMISSION,
    "db index is out of range": BrokerFault.NO_SUCH_DATABASE,
    "invalid db index": BrokerFault.NO_SUCH_DATABASE,
    "select is not allowed": BrokerFault.CLUSTER,
    "read only replica": BrokerFault.READ_ONLY,
    "not enough good replicas": BrokerFault.READ_ONLY,
    "unable to persist": BrokerFault.CANNOT_SAVE,
    "used memory >": BrokerFault.MEMORY_FULL,
    "max number of clients": BrokerFault.TOO_MANY_CLIENTS,
    "protected mode": BrokerFault.PROTECTED,
    "loading the dataset": BrokerFault.LOADING,
    "connection closed by server": BrokerFault.HUNG_UP,
}


# The first that fits: some of these classes are others, too.
_FAULTS_BY_CLASS: Sequence[tuple[type[BaseException], BrokerFault]] = (
    (redis_errors.InvalidResponse, BrokerFault.NOT_REDIS),
    (redis_errors.AuthenticationError, BrokerFault.PASSWORD_REFUSED),
    (redis_errors.ReadOnlyError, BrokerFault.READ_ONLY),
    (redis_errors.OutOfMemoryError, BrokerFault.MEMORY_FULL),
    (redis_errors.NoPermissionError, BrokerFault.NO_PERMISSION),
    (redis_errors.BusyLoadingError, BrokerFault.LOADING),
    (redis_errors.AskError, BrokerFault.CLUSTER),
    (redis_errors.TimeoutError, BrokerFault.TIMED_OUT),
    (ssl.SSLCertVerificationError, BrokerFault.CERTIFICATE),
    (ssl.SSLError, BrokerFault.NO_TLS),
    (socket.gaierror, BrokerFault.NAME_NOT_FOUND),
    (UnicodeError, BrokerFault.NAME_NOT_FOUND),
    (ConnectionRefusedError, BrokerFault.CONNECTION_REFUSED),
    (TimeoutError, BrokerFault.TIMED_OUT),
    (ConnectionError, BrokerFault.HUNG_UP),
    (OSError, BrokerFault.UNREACHABLE),
    (ValueError, BrokerFault.ADDRESS),
)
_AWAY = {
    BrokerFault.NAME_NOT_FOUND,
    BrokerFault.CONNECTION_REFUSED,
    BrokerFault.UNREACHABLE,
    BrokerFault.TIMED_OUT,
    BrokerFault.HUNG_UP,
}


class BrokerFailed(MoodmilesError):
    """A wake-up cannot be sent: why, and the server's own words."""

    def __init__(self, fault: BrokerFault, text: str = "") -> None:
        super().__init__(f"No wake-up can be sent ({fault}).")
        self.fault = fault
        self.text = text

    @property
    def is_away(self) -> bool:
        """Whether nothing answers at all, as while Redis is started again."""
        return self.fault in _AWAY


def build_failure(error: Exception) -> BrokerFailed:
    """Return what kombu, redis-py or a socket raised as an error of ours."""
    return BrokerFailed(diagnose(error), quote_server(str(error)))


def diagnose(error: BaseException) -> BrokerFault:
    """Return the first fault that an error, or what caused it, tells of."""
    for each in _causes(error):
        fault = _diagnose_one(each)
        if fault is not None:
            return fault
    return BrokerFault.NOT_FORESEEN


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield what lies beneath first: libraries wrap what a socket raised."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    yield from reversed(chain)


def _diagnose_one(error: BaseException) -> BrokerFault | None:
    is_said = isinstance(error, redis_errors.RedisError | KombuError)
    by_class = (fault for kind, fault in _FAULTS_BY_CLASS if isinstance(error, kind))
    return (_diagnose_words(str(error)) if is_said else None) or next(by_class, None)


def _diagnose_words(text: str) -> BrokerFault | None:
    # redis-py keeps the first word for some of its classes, and drops it for others.
    fault = _FAULTS_BY_CODE.get(text.split(" ", 1)[0].rstrip(":"))
    phrases = (
        each for phrase, each in _FAULTS_BY_PHRASE.items() if phrase in text.lower()
    )
    return fault or next(phrases, None)
