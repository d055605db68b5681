"""Serving a world on a real socket, with its events really delivered."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from threading import Thread
from wsgiref.types import WSGIEnvironment

from typing_extensions import override
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sync.simulator.events import EventSender
from sync.simulator.server import create_app
from sync.simulator.world import World


class QuietHandler(WSGIRequestHandler):
    """Writes no access log: it would hold codes and tokens."""

    @override
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    @override
    def connection_dropped(
        self, error: BaseException, environ: WSGIEnvironment | None = None
    ) -> None:
        """Hang up, also when the connection was meant to be kept."""
        self.close_connection = True


class LoggingHandler(QuietHandler):
    """Logs the method, the path and the status, and nothing that is secret."""

    @override
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        self.log("info", "%s %s %s", self.command, self.path.split("?")[0], code)


def open_server(
    world: World, host: str, port: int, *, quiet: bool = True
) -> BaseWSGIServer:
    """Bind the address; raises OSError when it is taken."""
    handler = QuietHandler if quiet else LoggingHandler
    listener = socket.create_server((host, port))
    with listener:
        return make_server(
            host,
            listener.getsockname()[1],
            create_app(world),
            threaded=True,
            request_handler=handler,
            fd=listener.fileno(),
        )


@contextmanager
def serve_in_thread(world: World, port: int = 0) -> Generator[str]:
    """Serve until the block ends; gives the base address."""
    server = open_server(world, "127.0.0.1", port)
    event_sender = EventSender(world)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    event_sender.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        event_sender.stop()
        thread.join()
        server.server_close()
