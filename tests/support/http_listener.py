"""A bare HTTP server that answers what it is told and keeps what it was asked."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Thread

from typing_extensions import override


@dataclass(frozen=True)
class RecordedRequest:
    method: str
    path: str
    headers: Message
    body: str


@dataclass
class HttpListener:
    url: str
    status: int = 200
    body: str | Callable[[str], str] = "[]"  # or what to make of the path
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[RecordedRequest] = field(default_factory=list)


@contextmanager
def run_http_listener(tls: SSLContext | None = None) -> Generator[HttpListener]:
    """Answer every request in the same way until the block ends."""
    http_listener = HttpListener(url="")

    class ListenerHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            http_listener.requests.append(
                RecordedRequest(self.command, self.path, self.headers, body.decode())
            )
            answer = (
                http_listener.body
                if isinstance(http_listener.body, str)
                else http_listener.body(self.path)
            )
            self.send_response(http_listener.status)
            for name, value in http_listener.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.encode())))
            self.end_headers()
            self.wfile.write(answer.encode())

        do_GET = do_POST = do_DELETE = answer  # noqa: N815

        @override
        def log_message(self, *parts: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), ListenerHandler)
    server.daemon_threads = True
    scheme = "http"
    if tls is not None:
        scheme = "https"
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    http_listener.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield http_listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
