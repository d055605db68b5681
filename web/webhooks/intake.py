"""What is answered to one event, whichever door it came through."""

from http import HTTPStatus

from pydantic import ValidationError

from sync.inbox.event import Delivery
from sync.inbox.receive import is_genuine, receive, receive_unknown
from sync.runtime import Runtime

Answer = tuple[HTTPStatus, dict[str, bool | str]]


def take(runtime: Runtime, body: bytes, signature: str | None) -> Answer:
    """Store one event; whatever is well-formed gets a 200, known to us or not."""
    if not is_genuine(runtime, signature, body):
        return HTTPStatus.FORBIDDEN, {"error": "The signature is not Strava's."}
    try:
        delivery = Delivery.model_validate_json(body)
    except ValidationError as error:
        if not _is_of_a_new_kind(error):
            return HTTPStatus.BAD_REQUEST, {"error": "This is not an event."}
        receive_unknown(runtime)
        return HTTPStatus.OK, {"kept": False}
    return HTTPStatus.OK, {"kept": receive(runtime, delivery)}


def _is_of_a_new_kind(error: ValidationError) -> bool:
    """Whether only the kind is unknown: Strava may add some, and would insist."""
    return all(detail["type"] == "literal_error" for detail in error.errors())
