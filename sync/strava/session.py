"""Requests to Strava: each takes from the budget, each answer is checked."""

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from sync.bounds import MAX_ID
from sync.errors import NotConfigured, RateLimited, StravaUnavailable
from sync.settings import Settings
from sync.strava.api import Lane
from sync.strava.budget import Budget
from sync.strava.errors import Credential, error_for

# requests and stravalib take a second to import: only a call imports them.
# ruff: noqa: PLC0415
if TYPE_CHECKING:
    from requests import Response, Session

    from sync.strava.stravalib_adapter import StravaApi

TOO_MANY_REQUESTS = 429
SUCCESS_STATUSES = range(200, 300)

ValueT = TypeVar("ValueT")


class ApiSession:
    """Every request to Strava, with one HTTP session and one budget."""

    def __init__(self, settings: Settings, budget: Budget) -> None:
        self._settings = settings
        self._budget = budget

    @cached_property
    def client_id(self) -> int:
        if self._settings.strava_client_id is None:
            raise NotConfigured(
                "MOODMILES_STRAVA_CLIENT_ID is not set; see .env.example."
            )
        return self._settings.strava_client_id

    @property
    def client_secret(self) -> str:
        return self._settings.require_secret("strava_client_secret")

    def get(self, access_token: str, path: str, lane: Lane, **params: Any) -> Any:
        """Fetch a runner's data with one request out of the shared budget."""
        from sync.strava.http import Unreached

        api = self._build_api(Credential.RUNNER, access_token)
        reservation = self._budget.reserve(lane)
        try:
            return self._translate_errors(partial(api.get, path, **params))
        except Unreached:
            self._budget.refund(reservation)
            raise

    def call_token_endpoint(self, call: Callable[["StravaApi"], ValueT]) -> ValueT:
        """Call the token endpoint, which Strava does not count, with stravalib."""
        return self._translate_errors(partial(call, self._build_api(Credential.TOKEN)))

    def request_as_app(self, method: str, address: str, **options: Any) -> object:
        """Send a request with our id and secret; return None for an empty body."""

        def send_request() -> object:
            response = self._http.request(method, address, **options)
            self._check_response(Credential.APP, response)
            return response.json() if response.content else None

        return self._translate_errors(send_request)

    @cached_property
    def _http(self) -> "Session":
        from sync.strava.http import build_session

        return build_session()

    def _build_api(
        self, credential: Credential, access_token: str | None = None
    ) -> "StravaApi":
        from sync.strava.stravalib_adapter import StravaApi

        return StravaApi(
            self._http,
            partial(self._check_response, credential),
            site_url=self._settings.strava_site_url,
            api_url=self._settings.strava_api_url,
            access_token=access_token,
        )

    def _translate_errors(self, call: Callable[[], ValueT]) -> ValueT:
        from sync.strava.http import translate_errors

        return translate_errors(call)

    def _check_response(self, credential: Credential, response: "Response") -> None:
        refused = response.status_code == TOO_MANY_REQUESTS
        until = self._budget.update_from_headers(response.headers, refused=refused)
        if refused:
            raise RateLimited(until)
        if response.status_code in SUCCESS_STATUSES:
            return  # a page of runs is large: only the caller parses it
        body: object = None
        with suppress(ValueError):  # a refusal's body is often HTML or empty
            body = response.json()
        error = error_for(response.status_code, body, credential)
        if error is not None:
            raise error


def require_type(value: object, kind: type[ValueT]) -> ValueT:
    """Return `value` if it has the promised type, or raise `StravaUnavailable`."""
    if not isinstance(value, kind):
        raise StravaUnavailable("Strava answered with something of another shape.")
    return value


def require_int(answer: object, field: str, max_value: int = MAX_ID) -> int:
    """Return a positive whole number of an answer, or raise `StravaUnavailable`."""
    number = require_type(answer, dict).get(field)
    if not isinstance(number, int) or isinstance(number, bool):
        number = 0
    if not 1 <= number <= max_value:
        raise StravaUnavailable(f"Strava's answer lacks a usable {field}.")
    return number
