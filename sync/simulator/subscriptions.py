"""The app's one push subscription: its handshake, listing and end."""

import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sync.simulator import refusals, shapes
from sync.simulator.events import DEADLINE_S, create_http_session
from sync.simulator.records import SimulatedSubscription
from sync.simulator.refusals import SimulatedApiError
from sync.simulator.world import World


class SubscriptionApi:
    def __init__(self, world: World, http: requests.Session | None = None) -> None:
        self._world = world
        self._http = http

    def blueprint(self) -> Blueprint:
        path = "/api/v3/push_subscriptions"
        item_path = f"{path}/<int:subscription_id>"
        blueprint = Blueprint("subscriptions", __name__)
        blueprint.add_url_rule(path, view_func=self.create, methods=["POST"])
        blueprint.add_url_rule(path, view_func=self.show)
        blueprint.add_url_rule(item_path, view_func=self.delete, methods=["DELETE"])
        return blueprint

    def create(self) -> ResponseReturnValue:
        """Subscribe the app after its callback has echoed the challenge."""
        self._check_client()
        url = request.values.get("callback_url", "")
        if self._world.subscription is not None:
            raise refusals.bad_request("PushSubscription", "", "already exists")
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _callback_error("not a valid URL") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise _callback_error("not a valid URL")
        self.verify_callback(url, request.values.get("verify_token", ""))
        with self._world.transaction():
            if self._world.subscription is not None:
                raise refusals.bad_request("PushSubscription", "", "already exists")
            subscription = SimulatedSubscription(
                id=self._world.next_id("subscription"),
                callback_url=url,
                created_s=self._world.now_s(),
            )
            self._world.subscriptions.put(subscription)
        return self._to_json(subscription), 201

    def show(self) -> list[dict[str, Any]]:
        self._check_client()
        return [
            self._to_json(subscription) for subscription in self._world.subscriptions
        ]

    def delete(self, subscription_id: int) -> ResponseReturnValue:
        self._check_client()
        with self._world.transaction():
            if subscription_id not in self._world.subscriptions:
                error = ("PushSubscription", "id", "not found")
                raise SimulatedApiError(404, "Resource Not Found", error)
            self._world.subscriptions.remove(subscription_id)
        return "", 204

    def _to_json(self, subscription: SimulatedSubscription) -> dict[str, Any]:
        return shapes.build_subscription(subscription, self._world.app.client_id)

    def _check_client(self) -> None:
        app = self._world.app
        if request.values.get("client_id") != app.client_id:
            raise refusals.bad_request("Application", "client_id", "invalid")
        if request.values.get("client_secret") != app.client_secret:
            raise refusals.bad_request("Application", "client_secret", "invalid")

    def verify_callback(self, url: str, verify_token: str) -> None:
        """Send the handshake; refuse a callback that does not echo the challenge."""
        challenge = secrets.token_hex(8)
        query = urlencode(
            {
                "hub.mode": "subscribe",
                "hub.challenge": challenge,
                "hub.verify_token": verify_token,
            }
        )
        # Strava appends a second `?` to an address that has one, and so do we.
        http = self._http or create_http_session()
        try:
            response = http.get(
                f"{url}?{query}", timeout=DEADLINE_S, allow_redirects=False
            )
            echo = response.json() if response.status_code == 200 else None
        except requests.JSONDecodeError:
            raise _callback_error("GET to callback URL does not return JSON") from None
        except requests.RequestException:
            echo = None
        if echo is None:
            raise _callback_error("GET to callback URL does not return 200")
        if not isinstance(echo, dict) or echo.get("hub.challenge") != challenge:
            raise _callback_error("hub.challenge was not echoed")


def _callback_error(code: str) -> SimulatedApiError:
    return refusals.bad_request("PushSubscription", "callback url", code)
