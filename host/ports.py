"""Ports on this machine: is one free, and which one shall a part have."""

import socket
from random import sample

from host.data_dir import Home
from host.errors import CannotStart

_PORTS_FILE = "ports.json"
_LOOPBACK = "127.0.0.1"
# Below those that a system lends to whoever connects somewhere: nobody gets a part's
# port between our look at it and the part's start, or while a part is started again.
_INNER = range(12_000, 32_000)
_TRIES = 100


def is_free(host: str, port: int) -> bool:
    return _bound(host, port) is not None


def web_port(host: str, port: int) -> int:
    """Return the port for the pages (`0`: any), or say that it is taken."""
    try:
        found = _bound(host, port)
    except socket.gaierror:
        raise CannotStart(f"{host} is not an address of this machine.") from None
    if found is None:
        raise CannotStart(
            f"Port {port} on {host} is taken or not ours to use; choose another "
            "one with --port."
        )
    return found


def inner_port(home: Home, part: str) -> int:
    """Return the same loopback port at each start, as long as it is free."""
    ports: dict[str, int] = home.read(_PORTS_FILE)
    others = {port for name, port in ports.items() if name != part}
    found = [ports[part]] if part in ports else []
    for port in (*found, *sample(_INNER, _TRIES)):
        if port not in others and is_free(_LOOPBACK, port):
            home.write(_PORTS_FILE, ports | {part: port})
            return port
    raise CannotStart("This machine has no free port left.")


def _bound(host: str, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            raise
        except OSError:
            return None
        number: int = probe.getsockname()[1]
        return number
