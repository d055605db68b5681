"""Ports on this machine: whether one is free, and the choice of one for a part."""

import socket
from random import sample

from host.data_dir import DataDirectory
from host.data_entries import DataEntry
from host.errors import StartupError

LOOPBACK = "127.0.0.1"
# Below the ephemeral ports, which a system gives to outgoing connections: no other
# program gets a part's port while the part starts, for the first time or again.
_INNER_PORTS = range(12_000, 32_000)
_MAX_TRIES = 100


def is_free(host: str, port: int) -> bool:
    return _try_bind(host, port) is not None


def choose_web_port(host: str, port: int) -> int:
    """Return the port for the pages (`0`: any); raise `StartupError` if taken."""
    require_own_address(host)
    bound_port = _try_bind(host, port)
    if bound_port is None:
        raise _build_taken_error(host, port)
    return bound_port


def require_own_address(host: str) -> None:
    """Raise `StartupError` if pages cannot be served at this address, by any port."""
    try:
        is_ours = _try_bind(host, 0) is not None
    except (socket.gaierror, UnicodeError):
        is_ours = False
    if not is_ours:
        raise StartupError(f"{host} is not an address of this machine.")


def require_port(host: str, port: int) -> None:
    """Raise `StartupError` if a web server cannot listen there.

    One of ours that still does so is none in the way: both listen until it ends.
    """
    require_own_address(host)
    if _try_bind(host, port, is_shared=True) is None:
        raise _build_taken_error(host, port)


def choose_inner_port(home: DataDirectory, part: str) -> int:
    """Return a free loopback port: the part's former one if possible."""
    ports = read_former_ports(home)
    other_ports = {port for name, port in ports.items() if name != part}
    previous_ports = [ports[part]] if part in ports else []
    for port in (*previous_ports, *sample(_INNER_PORTS, _MAX_TRIES)):
        if port not in other_ports and is_free(LOOPBACK, port):
            home.write_json(DataEntry.PORTS, ports | {part: port})
            return port
    raise StartupError("This machine has no free port left.")


def read_former_ports(home: DataDirectory) -> dict[str, int]:
    """Return the parts' ports of the last start; a damaged file is set aside."""
    ports = home.read_json(DataEntry.PORTS)
    if not all(type(port) is int and 0 < port < 65536 for port in ports.values()):
        home.set_aside(home.path / DataEntry.PORTS, "it is damaged")
        return {}
    return ports


def _build_taken_error(host: str, port: int) -> StartupError:
    return StartupError(
        f"Port {port} on {host} is taken or not ours to use; choose another one with "
        "--port."
    )


def _try_bind(host: str, port: int, *, is_shared: bool = False) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            raise
        except OSError:
            return None
        bound_port: int = probe.getsockname()[1]
        return bound_port
