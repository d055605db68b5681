"""A whole Moodmiles for a journey: `moodmiles up`, as a host would start it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from tests.support.servers import HOST, TIMEOUT_S, free_port


@dataclass
class LiveInstance:
    """A running instance: its pages, its simulator and its data directory."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path

    @property
    def strava_url(self) -> str:
        return self._port_of("simulator")

    def _port_of(self, part: str) -> str:
        ports = json.loads((self.data_dir / "ports.json").read_text())
        return f"http://{HOST}:{ports[part]}"

    def world(self) -> dict[str, Any]:
        """Return everything that the simulator knows."""
        state: dict[str, Any] = requests.get(
            f"{self.strava_url}/control/state", timeout=TIMEOUT_S
        ).json()
        return state

    def find_athlete(self, firstname: str) -> dict[str, Any]:
        return next(
            athlete
            for athlete in self.world()["athletes"]
            if athlete["firstname"] == firstname
        )

    def finish_run(self, athlete_id: int, **fields: object) -> int:
        """Let an athlete finish a run where it is daytime, outside quiet hours."""
        answer = requests.post(
            f"{self.strava_url}/control/athletes/{athlete_id}/runs",
            json={"zone": "daytime"} | fields,
            timeout=TIMEOUT_S,
        )
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def start_instance(
    data_dir: Path,
    *words: str,
    command: str = "up",
    settings: Mapping[str, str] | None = None,
) -> Generator[LiveInstance]:
    """Start an instance and wait until it says where it is."""
    port = free_port()
    log = data_dir.parent / "up.log"
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603
            _moodmiles(
                command, "--port", str(port), "--data-dir", str(data_dir), *words
            ),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=data_dir.parent,  # where no `.env` lies
            env=_plain_environment() | dict(settings or {}),
        )
    assert process.stdout is not None
    try:
        first_line = process.stdout.readline()
        assert "http://" in first_line, log.read_text()
        yield LiveInstance(process, f"http://{HOST}:{port}", data_dir)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(TIMEOUT_S)
            finally:
                process.kill()
        process.stdout.close()


def wait_for(condition: Any, *, patience_s: float = TIMEOUT_S) -> Any:
    """Ask again and again until the answer is true; return that answer."""
    deadline = monotonic() + patience_s
    while monotonic() < deadline:
        if answer := condition():
            return answer
        sleep(0.2)
    raise AssertionError("waited in vain")


def _moodmiles(*words: str) -> Sequence[str]:
    return [sys.executable, "-m", "host.cli", *words]


def _plain_environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOODMILES_")
    }
