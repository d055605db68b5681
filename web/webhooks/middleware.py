"""Strava's own door: events are answered before Flask would begin.

Flask takes ten times as long for an event as its row does, and Strava may send
thousands at once.  So what is plainly an event of Strava's is taken here; all
else, and whatever goes wrong here, goes on to Flask, which says the rest.
"""

import json
from collections.abc import Iterable
from hmac import compare_digest
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sync.inbox.signature import HEADER
from sync.runtime import Runtime
from sync.settings import Settings
from web.http.headers import build_content_security_policy, build_fixed_headers
from web.webhooks.intake import WebhookResponse, accept

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_EVENT_BYTES = 4096  # Strava's have some 200 bytes
_SIGNATURE_KEY = f"HTTP_{HEADER.upper().replace('-', '_')}"


class WebhookMiddleware:
    """A WSGI application in front of another one."""

    def __init__(self, app: "WSGIApplication", runtime: Runtime) -> None:
        settings = runtime.settings
        secret = settings.strava_webhook_secret
        self._app = app
        self._runtime = runtime
        self._host = urlsplit(settings.public_url).netloc.lower()
        self._path = f"/hooks/strava/{secret.get_secret_value()}" if secret else ""
        self._headers = list(_build_headers(settings).items())

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not self._is_event(environ):
            return self._app(environ, start_response)
        size = int(environ["CONTENT_LENGTH"])
        body = environ["wsgi.input"].read(size)
        try:
            response = accept(self._runtime, body, environ.get(_SIGNATURE_KEY))
        except Exception:  # noqa: BLE001 - Flask tries again and says what is wrong
            environ["wsgi.input"] = BytesIO(body)
            return self._app(environ, start_response)
        return self._respond(response, start_response)

    def _is_event(self, environ: "WSGIEnvironment") -> bool:
        """Whether this is a small POST to our secret address under our own name."""
        size = environ.get("CONTENT_LENGTH") or ""
        return (
            environ["REQUEST_METHOD"] == "POST"
            and self._path != ""
            and _is_equal(environ.get("PATH_INFO", ""), self._path)
            and environ.get("HTTP_HOST", "").lower() == self._host
            and len(size) <= 4
            and size.isdecimal()
            and int(size) <= MAX_EVENT_BYTES
        )

    def _respond(
        self, response: WebhookResponse, start_response: "StartResponse"
    ) -> list[bytes]:
        status, content = response
        body = json.dumps(content).encode() + b"\n"
        size = ("Content-Length", str(len(body)))
        start_response(f"{status.value} {status.phrase}", [*self._headers, size])
        return [body]


def _build_headers(settings: Settings) -> dict[str, str]:
    """Return what every answer of ours carries; a test compares them with Flask's."""
    return build_fixed_headers(settings) | {
        "Content-Type": "application/json",
        "Content-Security-Policy": build_content_security_policy(settings),
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def _is_equal(given: str, expected: str) -> bool:
    """Compare without telling by the time taken how much was right."""
    return compare_digest(given.encode(), expected.encode())
