"""What is answered to one event, whichever door it came through."""

from http import HTTPStatus

from pydantic import ValidationError

from sync.inbox.event import WebhookDelivery
from sync.inbox.receive import count_unknown_kind, is_genuine, receive_delivery
from sync.runtime import Runtime

WebhookResponse = tuple[HTTPStatus, dict[str, bool | str]]


def accept(runtime: Runtime, body: bytes, signature: str | None) -> WebhookResponse:
    """Store one event; whatever is well-formed gets a 200, known to us or not."""
    if not is_genuine(runtime, signature, body):
        return HTTPStatus.FORBIDDEN, {"error": "The signature is not Strava's."}
    try:
        delivery = WebhookDelivery.model_validate_json(body)
    except ValidationError as error:
        if not _is_unknown_kind(error):
            return HTTPStatus.BAD_REQUEST, {"error": "This is not an event."}
        count_unknown_kind(runtime)
        return HTTPStatus.OK, {"kept": False}
    return HTTPStatus.OK, {"kept": receive_delivery(runtime, delivery)}


def _is_unknown_kind(error: ValidationError) -> bool:
    """Whether only the kind is unknown: Strava may add some, and would insist."""
    return all(detail["type"] == "enum" for detail in error.errors())
