"""Connections that ask for something and never finish it, of every kind."""

import resource
import socket
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager

from tests.support.servers import HOST

_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
_POST = "POST {path} HTTP/1.1\r\nHost: {host}\r\n"
# What each sends at once; the rest never comes.
UNFINISHED = {
    "short": f"{_POST}{_FORM}Content-Length: 1000\r\n\r\ncsrf=",
    "nothing": f"{_POST}{_FORM}Content-Length: 1000\r\n\r\n",
    "chunked": f"{_POST}{_FORM}Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n",
    "half a chunk": f"{_POST}{_FORM}Transfer-Encoding: chunked\r\n\r\nff\r\na=",
    "no chunk": f"{_POST}{_FORM}Transfer-Encoding: chunked\r\n\r\n",
    "multipart": (
        f"{_POST}Content-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 1000\r\n\r\n--x\r\nContent-Disp"
    ),
    "json": f"{_POST}Content-Type: application/json\r\nContent-Length: 200\r\n\r\n[",
    "expect": f"{_POST}{_FORM}Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
    "pipelined": (
        "GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n"
        f"{_POST}{_FORM}Content-Length: 1000\r\n\r\na="
    ),
    "old": (
        "POST {path} HTTP/1.0\r\nHost: {host}\r\n"
        f"{_FORM}Content-Length: 1000\r\n\r\na="
    ),
    "get": "GET {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\na=",
    "headers": f"{_POST}X-More: ",
    "first line": "POST {path}",
    "idle": "",
}


@contextmanager
def hold_connections(
    connect: Callable[[], socket.socket],
    kinds: Sequence[str],
    *,
    host: str,
    path: str,
    count: int,
) -> Generator[list[socket.socket]]:
    """Open `count` unfinished requests of each kind to `path` for the block."""
    with ExitStack() as stack:
        connections = []
        for kind in kinds:
            request = UNFINISHED[kind].format(path=path, host=host)
            for _ in range(count):
                connection = stack.enter_context(connect())
                connection.sendall(request.encode())
                connections.append(connection)
        yield connections


@contextmanager
def ask_for_much(port: int, path: str, *, count: int) -> Generator[None]:
    """Ask `count` times for a large answer and read nothing of it for the block."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((HOST, port))
            request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n"
            connection.sendall(request.encode())
        yield


def drip(connections: Sequence[socket.socket], *, seconds: float) -> None:
    """Send one more byte a second on each, for as long as it is taken."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        time.sleep(1)
        for connection in connections:
            try:
                connection.send(b"a")
            except OSError:
                continue


def read_to_end(connection: socket.socket, *, within_s: float) -> bytes:
    """Return all that comes until the server closes; raise TimeoutError if it stays."""
    connection.settimeout(within_s)
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def allow_files(count: int) -> bool:
    """Let this process open `count` files; return whether the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return count <= hard
