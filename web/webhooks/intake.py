"""Answers to events, for the middleware and for Flask's route."""

from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import ValidationError

from sync.inbox.event import WebhookDelivery, is_unknown_kind
from sync.inbox.receive import count_unknown_kind, is_genuine, receive_delivery
from sync.runtime import Runtime
from web.http.constant_time import matches_secret


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """A status, and the values of the JSON that goes with it."""

    status: HTTPStatus
    content: dict[str, str] = field(default_factory=dict)


def is_webhook_secret(runtime: Runtime, given: str) -> bool:
    """Whether `given`, the last segment of the address, is the webhook's secret."""
    return matches_secret(given, runtime.settings.strava_webhook_secret)


def accept(runtime: Runtime, body: bytes, signature: str | None) -> WebhookResponse:
    """Store one event; the same 200 whatever becomes of a well-formed one."""
    if not is_genuine(runtime, signature, body):
        error_text = "The signature is not Strava's."
        return WebhookResponse(HTTPStatus.FORBIDDEN, {"error": error_text})
    try:
        delivery = WebhookDelivery.model_validate_json(body)
    except ValidationError as refusal:
        # Strava may add kinds, and would send a refused one again and again.
        if is_unknown_kind(refusal):
            count_unknown_kind(runtime)
            return WebhookResponse(HTTPStatus.OK)
        error_text = "This is not an event."
        return WebhookResponse(HTTPStatus.BAD_REQUEST, {"error": error_text})
    receive_delivery(runtime, delivery)
    return WebhookResponse(HTTPStatus.OK)
