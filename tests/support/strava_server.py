"""One server of a simulated Strava for all tests of a process, each with its world.

To open a socket, build an application and shut both down again costs more than most
tests do in between.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import make_server

from sync.simulator.events import EventSender
from sync.simulator.server import create_app
from sync.simulator.serving import QuietHandler
from sync.simulator.world import World
from tests.support.servers import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class WorldApp:
    """A world's HTTP face, built when somebody looks at it."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def app(self) -> Flask:
        return create_app(self._world)


class SharedStravaServer:
    """Serves one world after another at one address."""

    def __init__(self) -> None:
        self._world_app: WorldApp | None = None
        self._server = make_server(
            HOST, 0, self._answer, threaded=True, request_handler=QuietHandler
        )
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://{HOST}:{self._server.port}"

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        assert self._world_app is not None, "no test is running"
        return self._world_app.app(environ, start_response)

    @contextmanager
    def serve_world(self, world: World) -> Generator[str]:
        """Serve `world` until the block ends, and deliver its events."""
        postman = EventSender(world)
        postman.start()
        self._world_app = WorldApp(world)
        try:
            yield self.url
        finally:
            self._world_app = None
            postman.stop()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
