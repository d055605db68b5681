"""A callback that listens on a real socket and remembers what it was told."""

import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override


@dataclass
class CallbackServer:
    """Answers events with `statuses` in turn, and then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    signatures: list[str | None] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    echoes: bool = True
    speaks_json: bool = True
    pause_s: float = 0.0


@contextmanager
def run_callback_server() -> Generator[CallbackServer]:
    """Listen until the block ends."""
    callback = CallbackServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _build_handler(callback))
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    callback.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield callback
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _build_handler(callback: CallbackServer) -> type[BaseHTTPRequestHandler]:
    class CallbackHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            query_values = {name: values[0] for name, values in query.items()}
            callback.handshakes.append(query_values)
            challenge = (
                query_values.get("hub.challenge") if callback.echoes else "other"
            )
            status = 200 if query_values.get("hub.mode") == "subscribe" else 400
            body = json.dumps({"hub.challenge": challenge})
            self._answer(status, (body if callback.speaks_json else "<p>").encode())

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            callback.raw.append(raw)
            callback.events.append(json.loads(raw))
            callback.signatures.append(self.headers["X-Strava-Signature"])
            sleep(callback.pause_s)
            self._answer(callback.statuses.pop(0) if callback.statuses else 200, b"")

        def _answer(self, status: int, body: bytes) -> None:
            with suppress(ConnectionError):  # the caller may have given up
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    return CallbackHandler
