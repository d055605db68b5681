"""Flask's routes of the webhook: the handshake, and events that reach Flask."""

from http import HTTPStatus

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from sync.inbox.receive import SIGNATURE_HEADER
from web.http.constant_time import matches_secret
from web.runtime import runtime
from web.webhooks.intake import accept, is_webhook_secret

blueprint = Blueprint("webhooks", __name__, url_prefix="/hooks/strava")


@blueprint.get("/<secret>")
def confirm_subscription(secret: str) -> ResponseReturnValue:
    """Echo the challenge that Strava sends when a subscription is made."""
    _require_secret(secret)
    token = request.args.get("hub.verify_token", "")
    if not matches_secret(token, runtime().settings.strava_verify_token):
        return jsonify(error="The verify token is not ours."), HTTPStatus.FORBIDDEN
    challenge = request.args.get("hub.challenge", "")
    if not challenge:
        return jsonify(error="There is no challenge."), HTTPStatus.BAD_REQUEST
    return jsonify({"hub.challenge": challenge})


@blueprint.post("/<secret>")
def receive_event(secret: str) -> ResponseReturnValue:
    """Store an event that the middleware passed on: large, misdirected or failed."""
    _require_secret(secret)
    response = accept(
        runtime(), request.get_data(), request.headers.get(SIGNATURE_HEADER)
    )
    return jsonify(response.content), response.status


def _require_secret(secret: str) -> None:
    if not is_webhook_secret(runtime(), secret):
        abort(HTTPStatus.NOT_FOUND)
