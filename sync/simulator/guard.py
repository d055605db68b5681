"""What every call from the app meets before its answer: faults, then the limits."""

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
LIMITED = {"api.athlete", "api.activities", "api.activity", "oauth.deauthorize"}
REPORTS_ZERO = {"subscriptions.create", "subscriptions.show", "subscriptions.delete"}


class Gate:
    def __init__(self, world: World) -> None:
        self._world = world

    def guard(self, app: Flask) -> None:
        app.before_request(self.admit)
        app.after_request(self.sign)

    def admit(self) -> ResponseReturnValue | None:
        """Count the call, let faults happen, and refuse what Strava refuses."""
        call = CALL_OF_ENDPOINT.get(request.endpoint or "")
        if call is None:
            return None
        with self._world.change():
            self._world.count(f"requests {call}")
            over = request.endpoint in LIMITED and self._count_against_limits()
            hit = faults.take(self._world, call)
            inactive = self._world.app.inactive
        harmed = faults.suffer(hit)
        if harmed is not None:
            return harmed
        if inactive:
            raise refusals.inactive()
        if over:
            with self._world.change():
                self._world.count("refused")
            raise refusals.too_many()
        return None

    def sign(self, response: Response) -> Response:
        """Add the headers by which the app learns how much it has used."""
        usage = g.get("usage")
        if request.endpoint in REPORTS_ZERO:
            usage = Usage()
        if usage is not None:
            response.headers.update(limits.headers(usage, self._world.limits))
        return response

    def _count_against_limits(self) -> bool:
        usage = limits.count(self._world.usage, self._world.limits, self._world.now_s())
        self._world.set(usage)
        g.usage = usage
        return limits.is_over(usage, self._world.limits)
