"""The class of each request: what it costs, and so how often it may be made.

A view that stands nowhere here is limited: to read it is `READING`, to send it
anything is `WRITING`.
"""

from collections.abc import Mapping
from enum import StrEnum

_READING_METHODS = {"GET", "HEAD", "OPTIONS"}


class RequestClass(StrEnum):
    """What requests have in common that share one limit."""

    READING = "reading"
    WRITING = "writing"
    # All of a runner's numbers in one file: made in hundreds of milliseconds.
    NUMBERS = "numbers"
    # A made-up runner of the demo, with up to ten thousand runs.
    FIXTURE = "fixture"


CLASS_BY_ENDPOINT: Mapping[str, RequestClass] = {
    "claims.claims_csv": RequestClass.NUMBERS,
    "dashboard.answers_csv": RequestClass.NUMBERS,
    "dashboard.data_json": RequestClass.NUMBERS,
    "dashboard.panels_csv": RequestClass.NUMBERS,
    "dashboard.read_outs_json": RequestClass.NUMBERS,
    "dashboard.runs_csv": RequestClass.NUMBERS,
    "dashboard.weeks_csv": RequestClass.NUMBERS,
    "export.download": RequestClass.NUMBERS,
    "fixtures.open_state": RequestClass.FIXTURE,
    "questions.numbers_csv": RequestClass.NUMBERS,
    "wellbeing.own_line_csv": RequestClass.NUMBERS,
}
# By endpoint, with the reason.
UNLIMITED: Mapping[str, str] = {
    "health.healthz": "A probe that is refused restarts the process; it reads nothing.",
    "health.readyz": "A probe that is refused takes the process out of service.",
    "static": "One page asks for a dozen files; each is read from disk and no more.",
    "webhooks.confirm_subscription": "Strava asks once, and compares two secrets.",
    "webhooks.receive_event": "Strava sends thousands at once; each is one small row.",
}


def classify_request(endpoint: str | None, method: str) -> RequestClass:
    """Return the class of a request; `endpoint` is None where there is no page."""
    by_method = (
        RequestClass.READING if method in _READING_METHODS else RequestClass.WRITING
    )
    return CLASS_BY_ENDPOINT.get(endpoint or "", by_method)
