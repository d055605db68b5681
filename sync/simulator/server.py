"""The HTTP face of a world: every blueprint behind one gate."""

import requests
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from sync.simulator.api import Api
from sync.simulator.control import Control
from sync.simulator.guard import Gate
from sync.simulator.oauth import OAuth
from sync.simulator.pages import Pages
from sync.simulator.refusals import Mistake, NotHere, Refusal
from sync.simulator.subscriptions import Subscriptions
from sync.simulator.world import World

LARGEST_BODY = 1_000_000


def create_server(world: World, *, http: requests.Session | None = None) -> Flask:
    """Build the server; `http` is how it reaches the app's callback."""
    server = Flask(__name__)
    server.json.sort_keys = False  # type: ignore[attr-defined]
    server.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    # A fault that hangs up must reach the socket, not become a tidy 500.
    server.config["PROPAGATE_EXCEPTIONS"] = True
    Gate(world).guard(server)
    for face in (
        Api(world),
        OAuth(world),
        Subscriptions(world, http),
        Control(world),
        Pages(world),
    ):
        server.register_blueprint(face.blueprint())
    server.register_error_handler(Refusal, _refuse)
    server.register_error_handler(Mistake, _explain)
    server.register_error_handler(HTTPException, _in_json_where_json_is_spoken)
    server.after_request(_harden)
    return server


def _refuse(refusal: Refusal) -> ResponseReturnValue:
    return refusal.body, refusal.status


def _explain(mistake: Mistake) -> ResponseReturnValue:
    return {"error": str(mistake)}, 404 if isinstance(mistake, NotHere) else 400


def _in_json_where_json_is_spoken(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if request.path.startswith("/control/"):
        return {"error": error.name}, status
    if request.path.startswith("/api/"):
        return {"message": error.name, "errors": []}, status
    return error.get_response()


def _harden(response: Response) -> Response:
    """Let pages load nothing but their own style, and keep them out of frames."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
