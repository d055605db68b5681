"""How to tell that a part works, with sockets alone."""

import http.client
import socket
from collections.abc import Callable
from http import HTTPStatus

from host.process import Process

_PATIENCE_S = 1.0


def is_alive(_process: Process) -> bool:
    return True


def has_said(words: str) -> Callable[[Process], bool]:
    """Ready once the part has written `words` to its log."""
    return lambda process: words in process.said()


def answers_http(host: str, port: int, path: str) -> Callable[[Process], bool]:
    """Ready once a page answers 200."""

    def check(_process: Process) -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return check


def greets(
    port: int, greeting: bytes, *, after: bytes = b""
) -> Callable[[Process], bool]:
    """Ready once a connection is answered with `greeting`."""

    def check(_process: Process) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as talk:
                talk.sendall(after)
                return talk.recv(len(greeting)) == greeting
        except OSError:
            return False

    return check
