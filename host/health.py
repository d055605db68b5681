"""How to tell that a part works, with sockets alone."""

import socket
from collections.abc import Callable

from host.process import Process

_PATIENCE_S = 1.0


def is_alive(_process: Process) -> bool:
    return True


def has_said(words: str) -> Callable[[Process], bool]:
    """Ready once the part has written `words` to its log."""
    return lambda process: words in process.said()


def answers_page(host: str, port: int, path: str) -> Callable[[Process], bool]:
    """Ready once a page is there."""
    asking = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    return greets(port, b"HTTP/1.1 200", after=asking.encode(), host=host)


def greets(
    port: int, greeting: bytes, *, after: bytes = b"", host: str = "127.0.0.1"
) -> Callable[[Process], bool]:
    """Ready once a connection is answered with `greeting`."""

    def check(_process: Process) -> bool:
        try:
            with socket.create_connection((host, port), _PATIENCE_S) as talk:
                talk.sendall(after)
                return talk.recv(len(greeting)) == greeting
        except OSError:
            return False

    return check
