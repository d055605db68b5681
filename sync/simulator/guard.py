"""Checks before every call from the app: rate limits and simulated faults."""

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from sync.simulator import faults, limits, refusals
from sync.simulator.records import Usage
from sync.simulator.world import World

CALL_OF_ENDPOINT = {
    "api.athlete": "athlete",
    "api.activities": "list",
    "api.activity": "detail",
    "oauth.token": "token",
    "oauth.revoke": "revoke",
    "oauth.deauthorize": "revoke",
    "subscriptions.create": "subscription",
    "subscriptions.show": "subscription",
    "subscriptions.delete": "subscription",
}
LIMITED_ENDPOINTS = {
    "api.athlete",
    "api.activities",
    "api.activity",
    "oauth.deauthorize",
}
ZERO_USAGE_ENDPOINTS = {
    "subscriptions.create",
    "subscriptions.show",
    "subscriptions.delete",
}


class RequestGuard:
    def __init__(self, world: World) -> None:
        self._world = world

    def install(self, app: Flask) -> None:
        app.before_request(self.check_request)
        app.after_request(self.add_usage_headers)

    def check_request(self) -> ResponseReturnValue | None:
        """Count the call, apply faults, and refuse what Strava refuses."""
        call = CALL_OF_ENDPOINT.get(request.endpoint or "")
        if call is None:
            return None
        with self._world.transaction():
            self._world.increment_counter(f"requests {call}")
            is_over_limit = False
            if request.endpoint in LIMITED_ENDPOINTS:
                world_limits = self._world.limits
                g.usage = limits.add_call(
                    self._world.usage, world_limits, self._world.now_s()
                )
                self._world.put_singleton(g.usage)
                is_over_limit = limits.is_exceeded(g.usage, world_limits)
            active_faults = faults.consume_faults(self._world, call)
            is_inactive = self._world.app.inactive
        fault_response = faults.apply_faults(active_faults)
        if fault_response is not None:
            return fault_response
        if is_inactive:
            raise refusals.app_inactive()
        if is_over_limit:
            with self._world.transaction():
                self._world.increment_counter("refused")
            raise refusals.rate_limit_exceeded()
        return None

    def add_usage_headers(self, response: Response) -> Response:
        """Add the headers by which the app learns how much it has used."""
        usage = g.get("usage")
        if request.endpoint in ZERO_USAGE_ENDPOINTS:
            usage = Usage()
        if usage is not None:
            response.headers.update(limits.build_headers(usage, self._world.limits))
        return response
