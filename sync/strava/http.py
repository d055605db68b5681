"""The HTTP session for Strava, and its errors translated into `sync.errors`."""

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from typing_extensions import override

from sync.conflicts import mark_effect
from sync.errors import StravaUnavailable

CONNECT_S = 5
READ_S = 20
CONNECTIONS = 16
# By name: urllib3 comes with requests and is no dependency of ours.
CONNECT_ERRORS = {"ConnectTimeoutError", "NameResolutionError", "NewConnectionError"}

ResultT = TypeVar("ResultT")


class _TimeoutAdapter(HTTPAdapter):
    """Sets a timeout where the caller sets none."""

    timeout: tuple[float, float]

    @override
    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or self.timeout
        mark_effect()  # what was asked of Strava is not asked a second time
        return super().send(request, **options)


class _NoRedirectSession(Session):
    @override
    def get_redirect_target(self, resp: Response) -> str | None:
        """Follow no redirect: a token goes to the configured address or nowhere."""
        return None


def build_session(*, connect_s: float = CONNECT_S, read_s: float = READ_S) -> Session:
    """Build the session; each process needs its own, made after the fork."""
    http = _NoRedirectSession()
    # A retry in here would be counted by Strava and not by us, and urllib3
    # writes the whole address into the log when it tries again.
    adapter = _TimeoutAdapter(
        pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0
    )
    adapter.timeout = connect_s, read_s
    http.mount("https://", adapter)
    http.mount("http://", adapter)
    # One runner's cookies must not travel with the next runner's token.
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Without a rule of our own a ~/.netrc would replace the token.
    http.auth = lambda request: request
    http.headers["User-Agent"] = "moodmiles"
    return http


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
