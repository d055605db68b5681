"""An application under the server as shipped: it echoes, answers much, or hangs.

`run_web` names `app`, which then runs in a process of its own.
"""

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from web.http.wsgi_adapter import AdapterLimits, WsgiAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGE_BYTES = 8_000_000
SLOW_S = 0.05
STUCK_AFTER_S = 4
_large = b"x" * LARGE_BYTES


def answer(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Answer with environ and body; `/large` much, `/slow` later, `/hang…` never."""
    body = b"{}"
    if environ["PATH_INFO"] == "/large":
        body = _large
    elif environ["PATH_INFO"].startswith("/hang"):
        time.sleep(600)
    elif environ["PATH_INFO"] == "/slow":
        time.sleep(SLOW_S)
    elif environ["PATH_INFO"] == "/echo":
        values = {key: value for key, value in environ.items() if _is_plain(value)}
        values["body"] = environ["wsgi.input"].read().decode("latin-1")
        body = json.dumps(values).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | bool)


def find_owner(environ: "WSGIEnvironment") -> str | None:
    return "me" if environ["PATH_INFO"] == "/hang-by-turns" else None


app = WsgiAdapter(
    answer,
    lambda environ: environ["REMOTE_ADDR"],
    find_owner=find_owner,
    limits=AdapterLimits(send_timeout_s=2, stuck_after_s=STUCK_AFTER_S),
)
