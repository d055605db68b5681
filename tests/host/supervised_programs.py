"""Small programs for the supervisor to run: some hang, some will not end."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from host.health import has_heartbeat, has_written, sends_greeting
from host.process import Part, PartProcess
from tests.support.servers import free_port

# A part with a child of its own, as the web server and the workers have.
FAMILY = (
    "import subprocess, sys, time;"
    "child = subprocess.Popen(['sleep', '60']);"
    "print('here', child.pid, flush=True);"
    "time.sleep(60)"
)
ALONE = "import os, time; print('here', os.getpid(), flush=True); time.sleep(60)"
STUBBORN = (
    "import os, signal, time; signal.signal(15, signal.SIG_IGN);"
    "print('here', os.getpid(), flush=True); time.sleep(60)"
)
# Two parts that show that they are well: by an answer, and by a file's time.
TALKER = """import os, socket
door = socket.create_server(("127.0.0.1", {port}))
print("here", os.getpid(), flush=True)
while True:
    with door.accept()[0] as talk:
        talk.sendall(b"well")
"""
TOUCHER = """import os, pathlib, time
print("here", os.getpid(), flush=True)
while True:
    pathlib.Path({file!r}).touch()
    time.sleep(0.05)
"""


def build_part(folder: Path, code: str, *, name: str = "part") -> Part:
    return Part(
        name=name,
        command=[sys.executable, "-c", code],
        environment=dict(os.environ),
        log=folder / f"{name}.log",
        is_ready=has_written("here"),
        stop_timeout_s=0.2,
    )


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


def list_processes(log: Path) -> list[int]:
    """Return the children that a part has told of."""
    text = log.read_text() if log.exists() else ""
    lines = text.rpartition("\n")[0].splitlines()
    return [int(line.split()[1]) for line in lines]


def build_writing_part(folder: Path) -> tuple[str, Callable[[PartProcess], bool]]:
    port = free_port()
    return TALKER.format(port=port), sends_greeting(port, b"well")


def build_heartbeat_part(folder: Path) -> tuple[str, Callable[[PartProcess], bool]]:
    file = folder / "pulse"
    return TOUCHER.format(file=str(file)), has_heartbeat(file, within_s=0.5)
