"""One instance under a stop watch: its processes, what they cost, whether it works."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import requests
from kombu.connection import Connection
from kombu.exceptions import KombuError
from redis import Redis

from sync.queue import BROKER_OPTIONS, publish_task
from tests.support.paths import ROOT
from tests.support.servers import HOST, free_port

TICKS_S = os.sysconf("SC_CLK_TCK")
NEVER_S = 60.0
# `python -m` of the environment here may forbid what every installation has.
IGNORED = {"PYTHONDONTWRITEBYTECODE"}


class MeasuredInstance:
    """Starts `moodmiles up` in an empty directory; `started_at` is that moment."""

    def __init__(self, folder: Path) -> None:
        self._data_dir = folder / "data"
        self._pulse = self._data_dir / "pulse"
        self._logs = self._data_dir / "logs"
        port = free_port()
        self.url = f"http://{HOST}:{port}/"
        options = ["--port", str(port), "--data-dir", str(self._data_dir)]
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in IGNORED and not name.startswith("MOODMILES_")
        }
        self.started_at = monotonic()
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "host.cli", "up", *options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def list_pids(self) -> list[int]:
        """Return the supervisor and everybody below it."""
        pids: list[int] = []
        new = [self.process.pid]
        while new:
            pids += new
            new = [child for pid in new for child in list_children(pid)]
        return pids

    def has_page(self) -> bool:
        try:
            return requests.get(self.url, timeout=2).ok
        except requests.RequestException:
            return False

    def has_done_a_task(self) -> bool:
        return self._pulse.exists()

    def is_working(self) -> bool:
        """Ask for a page and a task: the loop needs both."""
        last_sweep = self._last_sweep()
        if not self.has_page():
            return False
        with suppress(OSError, KombuError):
            self.sweep()
        patience = monotonic() + 0.5
        while monotonic() < patience and self._last_sweep() == last_sweep:
            sleep(0.01)
        return self._last_sweep() != last_sweep

    def sweep(self) -> None:
        """Have the worker wake all queues: it touches the pulse when it has."""
        self.send("sweep")

    def send(self, task: str) -> None:
        with Connection(self._redis_url(), transport_options=BROKER_OPTIONS) as broker:
            publish_task(broker, task)

    def log_lines(self) -> tuple[int, int]:
        """Count the lines and the bytes of all logs."""
        logs = [file.read_bytes() for file in self._logs.iterdir()]
        return sum(log.count(b"\n") for log in logs), sum(map(len, logs))

    def has_nothing_to_do(self) -> bool:
        with Redis.from_url(self._redis_url()) as redis:
            return not redis.llen("celery") and not redis.hlen("unacked")

    def _last_sweep(self) -> int:
        return self._pulse.stat().st_mtime_ns if self._pulse.exists() else 0

    def _redis_url(self) -> str:
        settings = json.loads((self._data_dir / "instance.json").read_text())
        return str(settings["MOODMILES_REDIS_URL"])


def measure_seconds_until(is_done: Callable[[], bool]) -> float:
    """Ask again and again; infinity when it never comes."""
    began = monotonic()
    while not is_done():
        if monotonic() - began > NEVER_S:
            return float("inf")
        sleep(0.01)
    return monotonic() - began


def list_children(pid: int) -> list[int]:
    return [int(child) for child in _read_proc(pid, f"task/{pid}/children").split()]


def name_part(pid: int) -> str:
    """Return what a process is called: a part of ours bears its name."""
    return _read_proc(pid, "comm").strip()


def pss_mb(pid: int) -> float:
    match = re.search(r"^Pss:\s+(\d+)", _read_proc(pid, "smaps_rollup"), re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0


def cpu_s(pid: int) -> float:
    fields = _read_proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S if fields else 0.0


def _read_proc(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return ""
