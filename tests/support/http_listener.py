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
class Asked:
    method: str
    path: str
    headers: Message
    body: str


@dataclass
class Listener:
    url: str
    status: int = 200
    body: str | Callable[[str], str] = "[]"  # or what to make of the path
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def listener(tls: SSLContext | None = None) -> Generator[Listener]:
    """Answer every request in the same way until the block ends."""
    heard = Listener(url="")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard.asked.append(
                Asked(self.command, self.path, self.headers, body.decode())
            )
            answer = (
                heard.body if isinstance(heard.body, str) else heard.body(self.path)
            )
            self.send_response(heard.status)
            for name, value in heard.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.encode())))
            self.end_headers()
            self.wfile.write(answer.encode())

        do_GET = do_POST = do_DELETE = answer  # noqa: N815

        @override
        def log_message(self, *parts: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if tls is not None:
        scheme = "https"
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    heard.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
