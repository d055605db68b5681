"""The HTTP server of a world: every blueprint behind one guard."""

import requests
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from sync.simulator import origin_guard
from sync.simulator.api import SimulatedApi
from sync.simulator.control import ControlApi
from sync.simulator.guard import RequestGuard
from sync.simulator.oauth import OAuth
from sync.simulator.pages import ControlPages
from sync.simulator.refusals import InvalidCommand, SimulatedApiError, UnknownRecord
from sync.simulator.subscriptions import SubscriptionApi
from sync.simulator.world import World

MAX_BODY_BYTES = 1_000_000


def create_app(world: World, *, http: requests.Session | None = None) -> Flask:
    """Build the server; `http` is how it reaches the app's callback."""
    flask_app = Flask(__name__)
    flask_app.json.sort_keys = False  # type: ignore[attr-defined]
    flask_app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # A fault that hangs up must reach the socket, not become a tidy 500.
    flask_app.config["PROPAGATE_EXCEPTIONS"] = True
    origin_guard.install(flask_app)
    RequestGuard(world).install(flask_app)
    for interface in (
        SimulatedApi(world),
        OAuth(world),
        SubscriptionApi(world, http),
        ControlApi(world),
        ControlPages(world),
    ):
        flask_app.register_blueprint(interface.blueprint())
    flask_app.register_error_handler(SimulatedApiError, handle_api_error)
    flask_app.register_error_handler(InvalidCommand, handle_invalid_command)
    flask_app.register_error_handler(HTTPException, handle_http_error)
    flask_app.after_request(add_security_headers)
    return flask_app


def handle_api_error(error: SimulatedApiError) -> ResponseReturnValue:
    return error.body, error.status


def handle_invalid_command(error: InvalidCommand) -> ResponseReturnValue:
    return {"error": str(error)}, 404 if isinstance(error, UnknownRecord) else 400


def handle_http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if request.path.startswith("/control/"):
        return {"error": error.name}, status
    if request.path.startswith("/api/"):
        return {"message": error.name, "errors": []}, status
    return error.get_response()


def add_security_headers(response: Response) -> Response:
    """Forbid everything but our own style, frames and caches included."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
