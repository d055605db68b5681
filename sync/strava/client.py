"""The contract with Strava kept over HTTP: each call in Strava's own words."""

from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from typing_extensions import override

from sync.errors import RefusedByStrava, StravaUnavailable
from sync.settings import Settings
from sync.strava.api import (
    BudgetState,
    Grant,
    Lane,
    NotARun,
    Page,
    RemoteRun,
    Strava,
    Subscription,
    Tokens,
    Unreadable,
)
from sync.strava.budget import Budget, budget_of
from sync.strava.parse import day, parse
from sync.strava.session import Wire, usable, whole

if TYPE_CHECKING:
    from stravalib.protocol import AccessInfo

PAGE_SIZE = 200
EXISTS = "already exists"
LAST_EXPIRY_S = 2**36  # the year 4147; later ones are no times to Python

Kind = TypeVar("Kind")


class HttpStrava(Strava):
    """Cheap to make; the first call opens the session."""

    def __init__(self, settings: Settings, *, budget: Budget | None = None) -> None:
        self.budget = budget or budget_of(settings)
        self._site_url = settings.strava_site_url
        self._hooks_url = f"{settings.strava_api_url}/push_subscriptions"
        self._wire = Wire(settings, self.budget)

    @override
    def consent_url(
        self, *, state: str, redirect_uri: str, scope: str, force: bool = False
    ) -> str:
        asked = {
            "client_id": self._wire.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "approval_prompt": "force" if force else "auto",
            "scope": scope,
            "state": state,
        }
        return f"{self._site_url}/oauth/authorize?{urlencode(asked)}"

    @override
    def exchange(self, code: str) -> Grant:
        client_id, secret = self._wire.client_id, self._wire.client_secret
        info, athlete = self._wire.with_tokens(
            lambda api: api.exchange_code_for_token(
                client_id, secret, code, return_athlete=True
            )
        )
        tokens = _tokens(info)
        if athlete is None:  # Strava sends it along without having promised to
            athlete = self._wire.get(tokens.access, "/athlete", Lane.WAITING)
        return Grant(
            athlete_id=whole(athlete, "id"),
            tokens=tokens,
            member_since=day(athlete, "created_at"),
        )

    @override
    def refresh(self, refresh_token: str) -> Tokens:
        client_id, secret = self._wire.client_id, self._wire.client_secret
        info = self._wire.with_tokens(
            lambda api: api.refresh_access_token(client_id, secret, refresh_token)
        )
        return _tokens(info)

    @override
    def revoke(self, token: str) -> None:
        self._wire.as_the_app(
            "POST",
            f"{self._site_url}/oauth/revoke",
            auth=(str(self._wire.client_id), self._wire.client_secret),
            data={"token": token},
        )

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> RemoteRun | NotARun:
        record = self._wire.get(
            access_token, f"/activities/{run_id}", lane, include_all_efforts="false"
        )
        found = parse(record)
        if isinstance(found, Unreadable):
            raise StravaUnavailable(f"Strava's record makes no sense: {found.reason}.")
        if found.id != run_id:
            raise StravaUnavailable("Strava answered with another activity.")
        return found

    @override
    def page(
        self,
        access_token: str,
        *,
        lane: Lane,
        page: int = 1,
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> Page:
        asked = {"page": page, "per_page": PAGE_SIZE}
        if before is not None:
            asked["before"] = ceil(before.timestamp())
        if after is not None:
            asked["after"] = int(after.timestamp())
        records = self._wire.get(access_token, "/athlete/activities", lane, **asked)
        return _page(usable(records, list))

    @override
    def subscriptions(self) -> list[Subscription]:
        listed = self._wire.as_the_app("GET", self._hooks_url, params=self._who())
        return [_subscription(entry) for entry in usable(listed, list)]

    @override
    def subscribe(self, callback_url: str, verify_token: str) -> Subscription:
        """Subscribe; a subscription that is already ours is returned as it is."""
        asked = {"callback_url": callback_url, "verify_token": verify_token}
        try:
            made = self._wire.as_the_app(
                "POST", self._hooks_url, data=self._who() | asked
            )
        except RefusedByStrava as refusal:
            if EXISTS not in str(refusal):
                raise
            return self._already_made(callback_url, refusal)
        return Subscription(id=whole(made, "id"), callback_url=callback_url)

    @override
    def unsubscribe(self, subscription_id: int) -> None:
        self._wire.as_the_app(
            "DELETE", f"{self._hooks_url}/{subscription_id}", params=self._who()
        )

    @override
    def budget_state(self) -> BudgetState:
        return self.budget.state()

    def _already_made(
        self, callback_url: str, refusal: RefusedByStrava
    ) -> Subscription:
        for subscription in self.subscriptions():
            if subscription.callback_url == callback_url:
                return subscription
        raise refusal

    def _who(self) -> dict[str, str]:
        return {
            "client_id": str(self._wire.client_id),
            "client_secret": self._wire.client_secret,
        }


def _tokens(info: "AccessInfo") -> Tokens:
    pair: tuple[Any, Any] = info["access_token"], info["refresh_token"]
    if not all(isinstance(token, str) and token for token in pair):
        raise StravaUnavailable("Strava answered without usable tokens.")
    expires_s = whole(info, "expires_at", LAST_EXPIRY_S)
    return Tokens(*pair, expires_at=datetime.fromtimestamp(expires_s, UTC))


def _subscription(entry: Any) -> Subscription:
    callback_url = usable(usable(entry, dict).get("callback_url"), str)
    return Subscription(id=whole(entry, "id"), callback_url=callback_url)


def _page(records: list[object]) -> Page:
    """Sort the records into what they are, newest first; Strava's order varies."""
    found = [parse(record) for record in records]
    runs = sorted(_only(RemoteRun, found), key=lambda run: run.started_at, reverse=True)
    days = [run.local_day for run in runs]
    days += [
        known
        for record, one in zip(records, found, strict=True)
        if not isinstance(one, RemoteRun) and (known := day(record)) is not None
    ]
    return Page(
        runs=tuple(runs),
        others=tuple(_only(NotARun, found)),
        unreadable=tuple(_only(Unreadable, found)),
        size=len(records),
        oldest_day=min(days, default=None),
    )


def _only(
    kind: type[Kind], found: list[RemoteRun | NotARun | Unreadable]
) -> list[Kind]:
    return [one for one in found if isinstance(one, kind)]
