"""An ASGI application that calls a WSGI one and never waits for a client in it.

The event loop collects the body of a request, within bounds, while other requests go
on.  Only with all of it in memory does it call the WSGI application: in its own
thread, one request after the other, which suits SQLite; or, where that may take
long, in a thread beside it.  Either way the clients take turns, and beside the loop
their sign-ins (docs/decisions/0022).  The loop sends the answer, too, so that no
thread waits for a slow reader (docs/decisions/0019).
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

from web.http.body_limits import MAX_HEADER_BYTES, MAX_TARGET_BYTES, find_body_limit
from web.http.fair_queue import FairGate, FairQueue
from web.http.lifespan import run_lifespan
from web.http.refusals import REFUSAL_KEY
from web.http.waiting_bodies import FindClient, WaitingBodies

CHUNK_BYTES = 32 * 1024

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

FindOwner: TypeAlias = Callable[[WSGIEnvironment], str | None]

# The two headers whose keys in an environ have no prefix.
_UNPREFIXED_KEYS = {"CONTENT_LENGTH", "CONTENT_TYPE"}


@dataclass(slots=True)
class WsgiResponse:
    """An answer of the WSGI application, all of it in memory."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class AdapterLimits:
    """What one process gives to its clients, beside the limits of a body."""

    # With 64 kB each, all that are waiting take 32 MB at most.
    max_waiting_bodies: int = 512
    # One may wait for Strava, while another one makes a page.
    max_by_turns: int = 2
    # A client that takes nothing of its answer for so long is cut off.
    send_timeout_s: float = 30
    # A process that hangs for so long is ended.  The longest request asks Strava twice,
    # for 25 seconds each; one that writes may wait for the tables for 30.
    stuck_after_s: float = 75


DEFAULT_LIMITS = AdapterLimits()


class RequestRefused(Exception):
    """A request that is answered without a look at what it wants."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class BodyBroken(Exception):
    """A body that ends in its middle: the client is gone, or sends no HTTP."""


def find_no_owner(_environ: WSGIEnvironment) -> str | None:
    return None


class WsgiAdapter:
    """Serves the WSGI application `app`.

    `find_client` returns whose a request is that has to wait, so that no client gets
    all seats, or all turns; `find_owner` whose turn a request has to wait for beside
    the loop, or None for one that is answered in it; `headers` are those of the one
    answer that the application does not give.
    """

    def __init__(
        self,
        app: WSGIApplication,
        find_client: FindClient,
        *,
        find_owner: FindOwner = find_no_owner,
        headers: Iterable[tuple[str, str]] = (),
        limits: AdapterLimits = DEFAULT_LIMITS,
    ) -> None:
        self._app = app
        self._headers = [*headers, ("Connection", "close")]
        self._limits = limits
        self._find_client = find_client
        self._find_owner = find_owner
        self._in_loop = FairGate(1)
        self._by_turns = FairQueue(
            limits.max_by_turns, stuck_after_s=limits.stuck_after_s
        )
        self._waiting = WaitingBodies(limits.max_waiting_bodies, find_client)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(
                receive,
                send,
                stuck_after_s=self._limits.stuck_after_s,
                stalled_after_s=self._limits.send_timeout_s,
            )
            return
        environ = build_environ(scope)
        try:
            check_head(scope)
            await self.read_body(environ, receive)
        except RequestRefused as refusal:
            environ[REFUSAL_KEY] = refusal.status
            response = await self.respond_in_loop(environ)
            # What else the client may send is no next request.
            response.headers.append(("Connection", "close"))
        except BodyBroken:  # most likely nobody is there to read a page
            response = WsgiResponse(HTTPStatus.BAD_REQUEST, self._headers, b"")
        else:
            response = await self.respond(environ)
        await send_response(response, send, timeout_s=self._limits.send_timeout_s)

    async def respond(self, environ: WSGIEnvironment) -> WsgiResponse:
        """Return the answer of the WSGI application, at once or in the owner's turn."""
        owner = self._find_owner(environ)
        if owner is None:
            return await self.respond_in_loop(environ)
        client = self.name_client(environ)
        return await self._by_turns.run(owner, client, partial(self.call_app, environ))

    async def respond_in_loop(self, environ: WSGIEnvironment) -> WsgiResponse:
        """Return the application's answer, called once in each round of the loop.

        Thousands of requests that arrive together would make a single round that
        lasts until the watchdog ends the process.
        """
        client = self.name_client(environ) if self._in_loop.is_full else ""
        async with self._in_loop.hold_turn(client, client):
            response = self.call_app(environ)
            await asyncio.sleep(0)  # the turn is held until this round is over
        return response

    def name_client(self, environ: WSGIEnvironment) -> str:
        """Return a name of the client, also of one on this machine."""
        return self._find_client(environ) or "this machine"

    async def read_body(self, environ: WSGIEnvironment, receive: Receive) -> None:
        """Put the whole body into `environ`, or raise `RequestRefused`."""
        declared = int(environ.get("CONTENT_LENGTH", 0))
        coding = environ.pop("HTTP_TRANSFER_ENCODING", None)
        if not declared and coding is None:
            return
        limit = find_body_limit(environ["PATH_INFO"])
        if declared > limit.max_bytes:
            raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if (coding or "chunked").lower() != "chunked":
            raise RequestRefused(HTTPStatus.BAD_REQUEST)
        body = b""
        is_complete = False
        try:
            async with asyncio.timeout(limit.timeout_s) as timeout:
                with self._waiting.hold_seat(environ, timeout):
                    while not is_complete:
                        message = await receive()
                        if message["type"] != "http.request":
                            raise BodyBroken
                        body += message["body"]
                        if len(body) > limit.max_bytes:
                            raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                        is_complete = (
                            not message["more_body"] or len(body) == declared > 0
                        )
        except TimeoutError:
            raise RequestRefused(HTTPStatus.REQUEST_TIMEOUT) from None
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))

    def call_app(self, environ: WSGIEnvironment) -> WsgiResponse:
        """Return the answer of the WSGI application."""
        response = WsgiResponse(0, [], b"")

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: object = None
        ) -> Callable[[bytes], object]:
            response.status, response.headers = int(status[:3]), list(headers)
            return refuse_write

        chunks = self._app(environ, start_response)
        try:
            response.body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return response


def refuse_write(_data: bytes) -> object:
    raise NotImplementedError("Return the body instead of writing it.")


def build_environ(scope: Message) -> WSGIEnvironment:
    """Return the WSGI environ of a request whose body is not yet read.

    The process's environment, which CGI had in it, is left out: it holds secrets.
    """
    raw_path: bytes = scope["raw_path"]
    server_name, server_port = scope["server"]
    environ: WSGIEnvironment = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": scope["client"][0],
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_SOFTWARE": "Granian",
        "wsgi.errors": sys.stderr,
        "wsgi.input": BytesIO(),
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.version": (1, 0),
    }
    for name, value in scope["headers"]:
        # `X_Forwarded_For` would become the key of the header that a proxy writes.
        if b"_" in name:
            continue
        key = _find_key(name)
        text = value.decode() if value.isascii() else ""
        if key not in environ:
            environ[key] = text
        elif key not in _UNPREFIXED_KEYS:
            separator = ";" if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{separator}{text}"
    return environ


@lru_cache(maxsize=256)
def _find_key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _UNPREFIXED_KEYS else f"HTTP_{key}"


def check_head(scope: Message) -> None:
    """Raise `RequestRefused` if the address or the headers are too long."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
        raise RequestRefused(HTTPStatus.REQUEST_URI_TOO_LONG)
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    if size > MAX_HEADER_BYTES:
        raise RequestRefused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


async def send_response(
    response: WsgiResponse, send: Send, *, timeout_s: float
) -> None:
    """Send an answer; a large one in pieces, each at the reader's pace.

    A reader that takes no piece in `timeout_s` loses the rest.
    """
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in response.headers
    ]
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": headers,
        }
    )
    body, end = response.body, len(response.body)
    starts = range(0, end, CHUNK_BYTES) or range(1)
    try:
        for start in starts:
            async with asyncio.timeout(timeout_s):
                await send(
                    {
                        "type": "http.response.body",
                        "body": body[start : start + CHUNK_BYTES],
                        "more_body": start + CHUNK_BYTES < end,
                    }
                )
    except TimeoutError:
        return
