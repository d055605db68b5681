"""The `Strava` protocol over HTTP: requests as Strava documents them."""

from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from typing_extensions import override

from sync.errors import RefusedByStrava, StravaUnavailable
from sync.settings import Settings
from sync.strava.api import (
    Activity,
    ActivityPage,
    BudgetState,
    Grant,
    Lane,
    OtherActivity,
    RemoteRun,
    RemoteSubscription,
    Strava,
    Tokens,
    UnreadableRecord,
)
from sync.strava.budget import Budget, create_budget
from sync.strava.parse import local_day_of, parse_activity
from sync.strava.session import ApiSession, require_int, require_type

if TYPE_CHECKING:
    from stravalib.protocol import AccessInfo

PAGE_SIZE = 200
ALREADY_EXISTS = "already exists"
MAX_EXPIRY_S = 2**36  # the year 4147; later ones are no times to Python


class HttpStrava(Strava):
    """Opens its session with the first call."""

    def __init__(self, settings: Settings, *, budget: Budget | None = None) -> None:
        self.budget = budget or create_budget(settings)
        self._site_url = settings.strava_site_url
        self._hooks_url = f"{settings.strava_api_url}/push_subscriptions"
        self._session = ApiSession(settings, self.budget)

    @override
    def consent_url(
        self, *, state: str, redirect_uri: str, scope: str, force: bool = False
    ) -> str:
        parameters = {
            "client_id": self._session.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "approval_prompt": "force" if force else "auto",
            "scope": scope,
            "state": state,
        }
        return f"{self._site_url}/oauth/authorize?{urlencode(parameters)}"

    @override
    def exchange(self, code: str) -> Grant:
        client_id, secret = self._session.client_id, self._session.client_secret
        info, athlete = self._session.call_token_endpoint(
            lambda api: api.exchange_code_for_token(
                client_id, secret, code, return_athlete=True
            )
        )
        tokens = _to_tokens(info)
        if athlete is None:  # Strava sends it along without having promised to
            athlete = self._session.get(tokens.access, "/athlete", Lane.WAITING)
        return Grant(
            athlete_id=require_int(athlete, "id"),
            tokens=tokens,
            member_since=local_day_of(athlete, "created_at"),
        )

    @override
    def refresh(self, refresh_token: str) -> Tokens:
        client_id, secret = self._session.client_id, self._session.client_secret
        info = self._session.call_token_endpoint(
            lambda api: api.refresh_access_token(client_id, secret, refresh_token)
        )
        return _to_tokens(info)

    @override
    def revoke(self, token: str) -> None:
        self._session.request_as_app(
            "POST",
            f"{self._site_url}/oauth/revoke",
            auth=(str(self._session.client_id), self._session.client_secret),
            data={"token": token},
        )

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        record = self._session.get(
            access_token, f"/activities/{run_id}", lane, include_all_efforts="false"
        )
        activity = parse_activity(record)
        if isinstance(activity, UnreadableRecord):
            return replace(activity, id=run_id)  # which may be what is wrong with it
        if activity.id != run_id:
            raise StravaUnavailable("Strava answered with another activity.")
        return activity

    @override
    def page(
        self,
        access_token: str,
        *,
        lane: Lane,
        page: int = 1,
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> ActivityPage:
        parameters = {"page": page, "per_page": PAGE_SIZE}
        if before is not None:
            parameters["before"] = ceil(before.timestamp())
        if after is not None:
            parameters["after"] = int(after.timestamp())
        records = self._session.get(
            access_token, "/athlete/activities", lane, **parameters
        )
        return build_page(require_type(records, list))

    @override
    def subscriptions(self) -> list[RemoteSubscription]:
        records = self._session.request_as_app(
            "GET", self._hooks_url, params=self._app_credentials()
        )
        return [
            RemoteSubscription(
                id=require_int(record, "id"),
                callback_url=require_type(record.get("callback_url"), str),
            )
            for record in require_type(records, list)
        ]

    @override
    def subscribe(self, callback_url: str, verify_token: str) -> RemoteSubscription:
        """Create a subscription; return the existing one if it has this address."""
        parameters = {"callback_url": callback_url, "verify_token": verify_token}
        try:
            created = self._session.request_as_app(
                "POST", self._hooks_url, data=self._app_credentials() | parameters
            )
        except RefusedByStrava as refusal:
            if ALREADY_EXISTS not in str(refusal):
                raise
            for subscription in self.subscriptions():
                if subscription.callback_url == callback_url:
                    return subscription
            raise
        return RemoteSubscription(
            id=require_int(created, "id"), callback_url=callback_url
        )

    @override
    def unsubscribe(self, subscription_id: int) -> None:
        self._session.request_as_app(
            "DELETE",
            f"{self._hooks_url}/{subscription_id}",
            params=self._app_credentials(),
        )

    @override
    def budget_state(self) -> BudgetState:
        return self.budget.state()

    def _app_credentials(self) -> dict[str, str]:
        return {
            "client_id": str(self._session.client_id),
            "client_secret": self._session.client_secret,
        }


def _to_tokens(info: "AccessInfo") -> Tokens:
    token_pair: tuple[Any, Any] = info["access_token"], info["refresh_token"]
    if not all(isinstance(token, str) and token for token in token_pair):
        raise StravaUnavailable("Strava answered without usable tokens.")
    expires_s = require_int(info, "expires_at", MAX_EXPIRY_S)
    return Tokens(*token_pair, expires_at=datetime.fromtimestamp(expires_s, UTC))


def build_page(records: list[object]) -> ActivityPage:
    """Sort a page's records by kind, and the runs by start: Strava's order varies."""
    activities = [parse_activity(record) for record in records]
    runs = [activity for activity in activities if isinstance(activity, RemoteRun)]
    runs.sort(key=lambda run: run.started_at, reverse=True)
    days = [
        activity.local_day if isinstance(activity, RemoteRun) else local_day_of(record)
        for record, activity in zip(records, activities, strict=True)
    ]
    return ActivityPage(
        runs=tuple(runs),
        other_activities=tuple(
            activity for activity in activities if isinstance(activity, OtherActivity)
        ),
        unreadable=tuple(
            activity
            for activity in activities
            if isinstance(activity, UnreadableRecord)
        ),
        size=len(records),
        oldest_day=min((day for day in days if day is not None), default=None),
    )
