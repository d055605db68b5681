"""A WSGI middleware that answers Strava's events before Flask begins.

Strava may send thousands of events at once, and Flask doubles the computing time of
each (docs/decisions/0017).  A plain event is answered here; any other request, and
an event that cannot be stored, goes on to Flask's own route.
"""

import json
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from sync.inbox.receive import SIGNATURE_HEADER
from sync.runtime import Runtime
from web.http.headers import build_security_headers, names_own_host
from web.http.refusals import REFUSAL_KEY
from web.webhooks.intake import accept, is_webhook_secret

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_EVENT_BYTES = 4096  # Strava's have some 200 bytes
PATH_PREFIX = "/hooks/strava/"
_SIGNATURE_KEY = f"HTTP_{SIGNATURE_HEADER.upper().replace('-', '_')}"


class WebhookMiddleware:
    """A WSGI application in front of another one."""

    def __init__(self, app: "WSGIApplication", runtime: Runtime) -> None:
        settings = runtime.settings
        self._app = app
        self._runtime = runtime
        self._headers = [
            *build_security_headers(settings).items(),
            ("Content-Type", "application/json"),
        ]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not self.is_plain_event(environ):
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        try:
            response = accept(self._runtime, body, environ.get(_SIGNATURE_KEY))
        except Exception:  # noqa: BLE001 - Flask tries again and renders the error
            environ["wsgi.input"] = BytesIO(body)
            return self._app(environ, start_response)
        content = json.dumps(response.content).encode() + b"\n"
        status = f"{response.status.value} {response.status.phrase}"
        size = ("Content-Length", str(len(content)))
        start_response(status, [*self._headers, size])
        return [content]

    def is_plain_event(self, environ: "WSGIEnvironment") -> bool:
        """Whether this is a small POST to the secret address under our own name."""
        path, size = environ.get("PATH_INFO", ""), environ.get("CONTENT_LENGTH") or ""
        return (
            environ["REQUEST_METHOD"] == "POST"
            and REFUSAL_KEY not in environ
            and path.startswith(PATH_PREFIX)
            and is_webhook_secret(self._runtime, path.removeprefix(PATH_PREFIX))
            and names_own_host(
                environ.get("HTTP_HOST", ""), self._runtime.settings.public_url
            )
            and len(size) <= 4
            and size.isdecimal()
            and int(size) <= MAX_EVENT_BYTES
        )
