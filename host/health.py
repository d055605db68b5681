"""How to tell that a part works, with sockets and files alone."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from host.process import Process

_PATIENCE_S = 1.0


def is_alive(_process: Process) -> bool:
    return True


def has_said(words: str) -> Callable[[Process], bool]:
    """Ready once the part has written a line with `words`.

    Ask after every piece that it writes: only the last of them are remembered.
    """
    return lambda process: words in process.said().rpartition("\n")[0]


def has_pulse(file: Path, *, within_s: float) -> Callable[[Process], bool]:
    """Well as long as `file` is touched every now and then.

    What counts is that its time changes, not which time it says: the machine's
    clock may jump.
    """
    seen: tuple[object, ...] = ()
    changed_at = 0.0

    def check(process: Process) -> bool:
        nonlocal seen, changed_at
        now = process.pid, file.stat().st_mtime_ns if file.exists() else None
        if now != seen:
            seen, changed_at = now, time.monotonic()
        return time.monotonic() - changed_at <= within_s

    return check


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
