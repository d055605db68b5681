"""Tests of whether a part works, with sockets and files alone."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from host.ports import LOOPBACK
from host.process import PartProcess

_TIMEOUT_S = 1.0


def is_alive(_process: PartProcess) -> bool:
    return True


def has_written(text: str) -> Callable[[PartProcess], bool]:
    """Test whether the part has written a line with `text`.

    It must be asked after every chunk of output: only the last ones are stored.
    """
    return lambda process: text in process.output_tail().rpartition("\n")[0]


def has_heartbeat(file: Path, *, within_s: float) -> Callable[[PartProcess], bool]:
    """Test whether the modification time of `file` changed in the last seconds.

    The change is timed by the monotonic clock, since the machine's clock may jump.
    """
    last_state: tuple[object, ...] = ()
    changed_at = 0.0

    def check(process: PartProcess) -> bool:
        nonlocal last_state, changed_at
        state = process.pid, file.stat().st_mtime_ns if file.exists() else None
        if state != last_state:
            last_state, changed_at = state, time.monotonic()
        return time.monotonic() - changed_at <= within_s

    return check


def serves_page(host: str, port: int, path: str) -> Callable[[PartProcess], bool]:
    """Test whether a page answers with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    return sends_greeting(port, b"HTTP/1.1 200", request=request.encode(), host=host)


def sends_greeting(
    port: int, greeting: bytes, *, request: bytes = b"", host: str = LOOPBACK
) -> Callable[[PartProcess], bool]:
    """Test whether a connection is answered with `greeting`, to `request` if given."""

    def check(_process: PartProcess) -> bool:
        try:
            with socket.create_connection((host, port), _TIMEOUT_S) as connection:
                connection.sendall(request)
                answer = b""
                while len(answer) < len(greeting):
                    received = connection.recv(len(greeting) - len(answer))
                    if not received:
                        return False
                    answer += received
                return answer == greeting
        except OSError:
            return False

    return check
