"""Where Strava reports: store, answer at once; everything slow happens later."""

from hmac import compare_digest
from http import HTTPStatus

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import SecretStr, ValidationError

from sync.inbox.event import Delivery
from sync.inbox.receive import is_genuine, receive, receive_unknown
from sync.inbox.signature import HEADER
from web.runtime import runtime

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks/strava")


@blueprint.get("/<secret>")
def confirm_subscription(secret: str) -> ResponseReturnValue:
    """Echo the challenge that Strava sends when a subscription is made."""
    _must_be_strava(secret)
    token = request.args.get("hub.verify_token", "")
    if not _same(token, runtime().settings.strava_verify_token):
        return jsonify(error="The verify token is not ours."), HTTPStatus.FORBIDDEN
    challenge = request.args.get("hub.challenge", "")
    if not challenge:
        return jsonify(error="There is no challenge."), HTTPStatus.BAD_REQUEST
    return jsonify({"hub.challenge": challenge})


@blueprint.post("/<secret>")
def take_event(secret: str) -> ResponseReturnValue:
    """Store one event; whatever is well-formed gets a 200, known to us or not."""
    _must_be_strava(secret)
    body = request.get_data()
    if not is_genuine(runtime(), request.headers.get(HEADER), body):
        return jsonify(error="The signature is not Strava's."), HTTPStatus.FORBIDDEN
    try:
        delivery = Delivery.model_validate_json(body)
    except ValidationError as error:
        if _is_of_a_new_kind(error):
            receive_unknown(runtime())
            return jsonify(kept=False)
        return jsonify(error="This is not an event."), HTTPStatus.BAD_REQUEST
    return jsonify(kept=receive(runtime(), delivery))


def _is_of_a_new_kind(error: ValidationError) -> bool:
    """Whether only the kind is unknown: Strava may add some, and would insist."""
    return all(detail["type"] == "literal_error" for detail in error.errors())


def _must_be_strava(secret: str) -> None:
    if not _same(secret, runtime().settings.strava_webhook_secret):
        abort(HTTPStatus.NOT_FOUND)


def _same(given: str, expected: SecretStr | None) -> bool:
    """Compare without telling by the time taken how much was right."""
    if expected is None:
        return False
    return compare_digest(given.encode(), expected.get_secret_value().encode())
