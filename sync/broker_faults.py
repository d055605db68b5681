"""What an error of Redis, or of the line to it, means."""

import socket
import ssl
from collections.abc import Sequence

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
    """Return the first fault that an error, or what caused it, tells of.

    What lies beneath comes first: libraries wrap what a socket raised.
    """
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for each in reversed(chain):
        is_said = isinstance(each, redis_errors.RedisError | KombuError)
        if is_said and (fault := _diagnose_words(str(each))):
            return fault
        for kind, fault in _FAULTS_BY_CLASS:
            if isinstance(each, kind):
                return fault
    return BrokerFault.NOT_FORESEEN


def _diagnose_words(text: str) -> BrokerFault | None:
    # redis-py keeps the first word for some of its classes, and drops it for others.
    fault = _FAULTS_BY_CODE.get(text.split(" ", 1)[0].rstrip(":"))
    phrases = (
        each for phrase, each in _FAULTS_BY_PHRASE.items() if phrase in text.lower()
    )
    return fault or next(phrases, None)
