"""Asking Strava: who pays for a request, and what the answer means."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from sync.errors import NotConfigured, RateLimited, StravaUnavailable
from sync.settings import Settings
from sync.strava.api import Lane
from sync.strava.budget import Budget
from sync.strava.errors import Door, meaning

# requests and stravalib take their time to load: only a call does so.
# ruff: noqa: PLC0415
if TYPE_CHECKING:
    from requests import Response, Session

    from sync.strava.stravalib_adapter import Api

TOO_MANY = 429
FINE = range(200, 300)

Answer = TypeVar("Answer")


class Wire:
    """One session and one budget; every way to ask Strava leads through here."""

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
        return self._settings.secret("strava_client_secret")

    def get(self, access_token: str, path: str, lane: Lane, **params: Any) -> Any:
        """Read something of a runner's: one request out of the shared budget."""
        from sync.strava.http import Unreached

        api = self._api(Door.RUNNER, access_token)
        taken_at_ms = self._budget.reserve(lane)
        try:
            return self._answered(partial(api.get, path, **params))
        except Unreached:
            self._budget.give_back(taken_at_ms)
            raise

    def with_tokens(self, ask: Callable[["Api"], Answer]) -> Answer:
        """Let stravalib speak to the token endpoint, which counts nothing."""
        return self._answered(partial(ask, self._api(Door.TOKEN)))

    def as_the_app(self, method: str, address: str, **options: Any) -> object:
        """Ask with our own id and secret; None if the answer has no body."""

        def ask() -> object:
            response = self._http.request(method, address, **options)
            self._judge(Door.APP, response)
            return response.json() if response.content else None

        return self._answered(ask)

    @cached_property
    def _http(self) -> "Session":
        from sync.strava.http import session

        return session()

    def _api(self, door: Door, access_token: str | None = None) -> "Api":
        from sync.strava.stravalib_adapter import Api

        return Api(
            self._http,
            partial(self._judge, door),
            site_url=self._settings.strava_site_url,
            api_url=self._settings.strava_api_url,
            access_token=access_token,
        )

    def _answered(self, ask: Callable[[], Answer]) -> Answer:
        from sync.strava.http import answered

        return answered(ask)

    def _judge(self, door: Door, response: "Response") -> None:
        refused = response.status_code == TOO_MANY
        until = self._budget.learn(response.headers, refused=refused)
        if refused:
            raise RateLimited(until)
        if response.status_code in FINE:
            return  # a page of runs is large: it is read once, by who asked
        trouble = meaning(response.status_code, _body(response), door)
        if trouble is not None:
            raise trouble


def usable(value: object, kind: type[Answer]) -> Answer:
    """Return `value` if it is of the kind that Strava promises."""
    if not isinstance(value, kind):
        raise StravaUnavailable("Strava answered with something of another shape.")
    return value


def whole(answer: object, field: str, most: int = 2**63 - 1) -> int:
    """Take a positive whole number out of an answer."""
    number = usable(answer, dict).get(field)
    if not isinstance(number, int) or isinstance(number, bool):
        number = 0
    if not 1 <= number <= most:
        raise StravaUnavailable(f"Strava's answer lacks a usable {field}.")
    return number


def _body(response: "Response") -> object:
    """Read a refusal's body, which is often HTML or empty."""
    try:
        body: object = response.json()
    except ValueError:
        return None
    return body if isinstance(body, Mapping) else None
