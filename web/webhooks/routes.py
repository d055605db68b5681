"""Where Strava reports: store, answer at once; everything slow happens later."""

from hmac import compare_digest
from http import HTTPStatus

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import SecretStr

from sync.inbox.signature import HEADER
from web.runtime import runtime
from web.webhooks.intake import accept

blueprint = Blueprint("webhooks", __name__, url_prefix="/hooks/strava")


@blueprint.get("/<secret>")
def confirm_subscription(secret: str) -> ResponseReturnValue:
    """Echo the challenge that Strava sends when a subscription is made."""
    _require_secret(secret)
    token = request.args.get("hub.verify_token", "")
    if not _is_secret(token, runtime().settings.strava_verify_token):
        return jsonify(error="The verify token is not ours."), HTTPStatus.FORBIDDEN
    challenge = request.args.get("hub.challenge", "")
    if not challenge:
        return jsonify(error="There is no challenge."), HTTPStatus.BAD_REQUEST
    return jsonify({"hub.challenge": challenge})


@blueprint.post("/<secret>")
def receive_event(secret: str) -> ResponseReturnValue:
    """Accept what the middleware left over: large, misdirected or failed requests."""
    _require_secret(secret)
    body = request.get_data()
    status, content = accept(runtime(), body, request.headers.get(HEADER))
    return jsonify(content), status


def _require_secret(secret: str) -> None:
    if not _is_secret(secret, runtime().settings.strava_webhook_secret):
        abort(HTTPStatus.NOT_FOUND)


def _is_secret(given: str, expected: SecretStr | None) -> bool:
    """Compare without telling by the time taken how much was right."""
    if expected is None:
        return False
    return compare_digest(given.encode(), expected.get_secret_value().encode())
