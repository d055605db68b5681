"""The web server as it is shipped, in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.conftest import KEY
from tests.support.held_connections import hold_connections
from tests.support.paths import ROOT
from tests.support.servers import HOST, TIMEOUT_S, free_port, wait_until
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

HOOK = f"/hooks/strava/{WEBHOOK_SECRET}"
EVENT = (
    b'{"object_type": "activity", "object_id": 1, "aspect_type": "create",'
    b' "owner_id": 7, "subscription_id": 1, "event_time": 1777620000, "updates": {}}'
)
# Far more than an answer takes on a busy machine; one that hangs takes for ever.
PATIENCE_S = 10


@dataclass(frozen=True)
class WebAnswer:
    """A status, the headers with names in lower case, and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class WebProcess:
    """A running web server; `log` holds what it writes."""

    pid: int
    port: int
    log: Path

    @property
    def host(self) -> str:
        return f"{HOST}:{self.port}"

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WebAnswer:
        """Send a request over a new connection and wait a while for its answer."""
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return WebAnswer(response.status, names, response.read())
        finally:
            connection.close()

    def send_event(self) -> WebAnswer:
        kind = {"Content-Type": "application/json"}
        return self.ask(HOOK, method="POST", body=EVENT, headers=kind)

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=PATIENCE_S)

    def hold_requests(
        self, kinds: Sequence[str], *, path: str, count: int
    ) -> AbstractContextManager[list[socket.socket]]:
        """Hold `count` unfinished requests of each kind to `path`."""
        return hold_connections(
            self.connect, kinds, host=self.host, path=path, count=count
        )

    def is_answering(self) -> bool:
        try:
            return self.ask("/healthz").status == 200
        except (OSError, HTTPException):
            return False

    def list_workers(self) -> list[int]:
        """Return the ids of the processes that answer."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def count_threads(self) -> int:
        return sum(_count_entries(pid, "task") for pid in self.list_workers())

    def count_files(self) -> int:
        return sum(_count_entries(pid, "fd") for pid in self.list_workers())

    def memory_kb(self) -> int:
        """Return the memory of the processes that answer, without shared files."""
        return sum(_read_memory_kb(pid) for pid in self.list_workers())


def _count_entries(pid: int, folder: str) -> int:
    return len(list(Path(f"/proc/{pid}/{folder}").iterdir()))


def _read_memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@contextmanager
def run_web(
    folder: Path,
    *,
    database_url: str = "",
    redis_url: str = "",
    processes: int = 1,
    app: str = "web.asgi:app",
    settings: Mapping[str, str] | None = None,
) -> Generator[WebProcess]:
    """Serve `app` as `moodmiles web` does, until the block ends."""
    port = free_port()
    environment = os.environ | {
        "MOODMILES_DATA_DIR": str(folder),
        "MOODMILES_DATABASE_URL": database_url,
        "MOODMILES_REDIS_URL": redis_url,
        "MOODMILES_SECRET_KEYS": KEY,
        "MOODMILES_SMTP_URL": f"smtp://{HOST}:1",
        "MOODMILES_STRAVA_CLIENT_ID": "1",
        "MOODMILES_STRAVA_CLIENT_SECRET": "simulated",
        "MOODMILES_STRAVA_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "MOODMILES_STRAVA_VERIFY_TOKEN": VERIFY_TOKEN,
        "MOODMILES_PUBLIC_URL": f"http://{HOST}:{port}",
        **(settings or {}),
    }
    call = f"serve({HOST!r}, {port}, processes={processes}, app={app!r})"
    log = folder / "web.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", f"from web.server import serve; {call}"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    web = WebProcess(process.pid, port, log)
    try:
        wait_until(web.is_answering)
        yield web
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT_S)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
