"""The HTTP session for Strava, and its errors translated into `sync.errors`."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from socket import SHUT_RDWR, socket
from threading import Timer
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from typing_extensions import override

from sync.conflicts import mark_effect
from sync.errors import NotConfigured, StravaUnavailable
from sync.local_requests import is_loopback_name
from sync.setting_urls import require_escaped

CONNECT_S = 5
READ_S = 20
# For an answer as a whole: the other timeouts begin anew with each byte.
ANSWER_S = 40
# A page of 200 activities has about a twentieth of it.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
CONNECTIONS = 16
# By name: urllib3 comes with requests and is no dependency of ours.
CONNECT_ERRORS = {"ConnectTimeoutError", "NameResolutionError", "NewConnectionError"}

_PROXY_VARIABLES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
_PROXY_HOST = re.compile(r"[\w.:%-]+")

ResultT = TypeVar("ResultT")


class _AnswerTooSlow(RequestException):
    """An answer had not come whole when its time was over."""


class _AnswerTooLarge(RequestException):
    """An answer has more bytes than any of Strava's."""


class _Cut:
    """Hangs up when a time is over, so that whoever reads from the line goes on."""

    def __init__(self, after_s: float) -> None:
        self.has_come = False
        self._line: socket | None = None
        self._timer = Timer(after_s, self._hang_up)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _current_cut.set(self)
        self._timer.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _current_cut.set(None)

    def watch(self, line: socket | None) -> None:
        self._line = line
        if self.has_come:
            self._hang_up()

    def _hang_up(self) -> None:
        self.has_come = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(SHUT_RDWR)


_current_cut: ContextVar[_Cut | None] = ContextVar("cut", default=None)


class _TimeoutAdapter(HTTPAdapter):
    """Sets timeouts where the caller sets none, and bounds an answer as a whole."""

    timeout: tuple[float, float]
    answer_s: float

    @override
    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or self.timeout
        options["stream"] = True  # it is read here
        mark_effect()  # what was asked of Strava is not asked a second time
        with _Cut(self.answer_s) as cut:
            try:
                response = super().send(request, **options)
                response._content = _read_body(response)  # noqa: SLF001
            except RequestException:
                if cut.has_come:
                    raise _AnswerTooSlow from None
                raise
        # A body of unknown length may end where the line was cut.
        if cut.has_come:
            raise _AnswerTooSlow
        return response

    @override
    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not hasattr(pool.ConnectionCls, "is_watched"):
            pool.ConnectionCls = _watch(pool.ConnectionCls)
        return pool


@cache
def _watch(connection_class: Any) -> Any:
    """Return a class of connections whose lines the current `_Cut` can hang up."""

    class WatchedConnection(connection_class):  # type: ignore[misc]
        is_watched = True

        def getresponse(self, *args: Any, **options: Any) -> Any:
            cut = _current_cut.get()
            if cut is not None:
                cut.watch(self.sock)
            return super().getresponse(*args, **options)

    return WatchedConnection


def _read_body(response: Response) -> bytes:
    body = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise _AnswerTooLarge
    except RequestException:
        response.close()
        raise
    return bytes(body)


class _StravaSession(Session):
    @override
    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """Go to a neighbour directly; to others by the environment's proxy, if any."""
        options = super().merge_environment_settings(url, proxies, stream, verify, cert)
        options["proxies"] = {
            scheme: _complete_proxy(proxy)
            for scheme, proxy in options["proxies"].items()
            if not _is_neighbour(url)
        }
        return options

    @override
    def get_redirect_target(self, resp: Response) -> str | None:
        """Follow no redirect: a token goes to the configured address or nowhere."""
        return None


def build_session(
    *,
    connect_s: float = CONNECT_S,
    read_s: float = READ_S,
    answer_s: float = ANSWER_S,
) -> Session:
    """Build the session; each process needs its own, made after the fork."""
    http = _StravaSession()
    # A retry in here would be counted by Strava and not by us, and urllib3
    # writes the whole address into the log when it tries again.
    adapter = _TimeoutAdapter(
        pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0
    )
    adapter.timeout = connect_s, read_s
    adapter.answer_s = answer_s
    http.mount("https://", adapter)
    http.mount("http://", adapter)
    # One runner's cookies must not travel with the next runner's token.
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Without a rule of our own a ~/.netrc would replace the token.
    http.auth = lambda request: request
    http.headers["User-Agent"] = "moodmiles"
    return http


def require_usable_proxy(*urls: str) -> None:
    """Raise `NotConfigured` for a proxy of the environment that cannot be used.

    Of those that are set, only one that our requests would take counts.
    """
    for url in urls:
        proxy = select_proxy(url, get_environ_proxies(url))
        if proxy is None or _is_neighbour(url):
            continue
        try:
            address = _complete_proxy(proxy)
            require_escaped(address)
            parts = urlsplit(address)
            is_usable = (
                parts.scheme in {"http", "https"}
                and parts.port != 0
                and _PROXY_HOST.fullmatch(parts.hostname or "")
            )
        except ValueError:
            is_usable = False
        if not is_usable:
            names = " and ".join(
                name
                for name in os.environ
                if name.upper() in _PROXY_VARIABLES and os.environ[name] == proxy
            )
            raise NotConfigured(
                f"{names or 'The proxy of this system'}: must look like "
                "http://proxy.example.org:3128, with %40 for @, %2F for / and %23 for "
                "# in a password; a proxy of another kind is not spoken to. For none, "
                "leave it empty."
            )


def _complete_proxy(proxy: str) -> str:
    """Return a proxy's address; a name alone is that of an http proxy."""
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_neighbour(url: str) -> bool:
    """Whether no proxy stands between: this machine, or a network of one's own.

    A name without a dot is one of the same network, as those of containers are.
    """
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return is_loopback_name(host) or "." not in host
    return address.is_private or address.is_link_local


class Unreached(StravaUnavailable):
    """No connection was established, so no request left."""


def translate_errors(call: Callable[[], ResultT]) -> ResultT:
    """Return what `call` returns; raise `StravaUnavailable` for a library's error.

    The new error has no cause: the texts of the library's errors contain whole
    addresses.
    """
    try:
        return call()
    except RequestException as error:
        description = type(error).__name__
        reason = getattr(error.args[0], "reason", None) if error.args else None
        is_unreached = type(reason).__name__ in CONNECT_ERRORS
        error_class = Unreached if is_unreached else StravaUnavailable
    except OSError:  # of requests' own: a file that REQUESTS_CA_BUNDLE names
        description, error_class = "no certificates to check it with", Unreached
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        RecursionError,  # brackets within brackets, without end
    ):
        description, error_class = "an answer of another shape", StravaUnavailable
    raise error_class(f"Strava did not answer as it should ({description}).")
