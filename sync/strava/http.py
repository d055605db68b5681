"""The one HTTP session that we talk to Strava with, and how its troubles read."""

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from typing_extensions import override

from sync.errors import StravaUnavailable

CONNECT_S = 5
READ_S = 20
CONNECTIONS = 16
# Said by name: urllib3 comes with requests and is none of ours to import.
CONNECT_ERRORS = {"ConnectTimeoutError", "NameResolutionError", "NewConnectionError"}

ResultT = TypeVar("ResultT")


class _TimeoutAdapter(HTTPAdapter):
    """Waits so long and no longer, whatever the caller forgot to say."""

    timeout: tuple[float, float]

    @override
    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or self.timeout
        return super().send(request, **options)


class _NoRedirectSession(Session):
    @override
    def get_redirect_target(self, resp: Response) -> str | None:
        """Follow nobody: a token goes to the address that was set, or nowhere."""
        return None


def build_session(*, connect_s: float = CONNECT_S, read_s: float = READ_S) -> Session:
    """Build the session; every process has its own, made after the fork."""
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
    http.auth = _keep_unsigned
    http.headers["User-Agent"] = "moodmiles"
    return http


class Unreached(StravaUnavailable):
    """The request never left: no connection came about."""


def translate_errors(call: Callable[[], ResultT]) -> ResultT:
    """Return what `ask` returns, or say in our words that Strava failed us.

    The new error stands alone on purpose: the texts of the library's own errors
    contain whole addresses.
    """
    try:
        return call()
    except RequestException as error:
        description = type(error).__name__
        error_class = Unreached if _is_connect_error(error) else StravaUnavailable
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        description, error_class = "an answer of another shape", StravaUnavailable
    raise error_class(f"Strava did not answer as it should ({description}).")


def _keep_unsigned(request: PreparedRequest) -> PreparedRequest:
    return request


def _is_connect_error(error: RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in CONNECT_ERRORS
