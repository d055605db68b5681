"""An open load of events: each has its moment, and waits from then on if it must.

One thread speaks over lines that stay open, at a fraction of what the web spends
on an answer: both share this machine's cores.
"""

import json
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate, repeat
from random import Random
from select import select
from time import perf_counter

from typing_extensions import override

from tests.lab.bench.linked_runner import ATHLETE
from tests.support.servers import HOST

LINES = 64
GOOD = b"HTTP/1.1 200 "
PATIENCE_S = 30


class OpenLoad:
    """Sends events to one address and keeps what became of them."""

    def __init__(self, port: int, path: str) -> None:
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._lines = [socket.create_connection((HOST, port)) for _ in range(LINES)]
        self._free = list(self._lines)
        self._busy: dict[socket.socket, tuple[float, int]] = {}
        self._heard: dict[socket.socket, bytes] = {}
        self.waits_s: list[float] = []
        self.acknowledged: set[int] = set()
        self.took_s = 0.0

    def send(self, numbers: Iterable[int], *, rate: float) -> "OpenLoad":
        """Send one event a number at chance moments; stop when we are hung up on."""
        waiting = deque(zip(_send_times(rate), numbers, strict=False))
        began = perf_counter()
        try:
            while waiting or self._busy:
                now = perf_counter() - began
                while waiting and self._free and waiting[0][0] <= now:
                    self._send(*waiting.popleft())
                is_next = waiting and self._free
                self._receive(began, waiting[0][0] - now if is_next else PATIENCE_S)
        except OSError:
            pass  # the web is gone; what it acknowledged is known
        self.took_s = perf_counter() - began
        for line in self._lines:
            line.close()
        return self

    def _send(self, at: float, number: int) -> None:
        line = self._free.pop()
        self._busy[line] = at, number
        body = build_event(number)
        line.sendall(f"{self._head}{len(body)}\r\n\r\n{body}".encode())

    def _receive(self, began: float, for_s: float) -> None:
        readable, _, _ = select(self._busy, [], [], max(for_s, 0))
        for line in readable:
            data = line.recv(4096)
            if not data:
                raise ConnectionResetError
            answer = self._heard.pop(line, b"") + data
            if not answer.rstrip().endswith(b"}"):  # the head alone
                self._heard[line] = answer
                continue
            at, number = self._busy.pop(line)
            self._free.append(line)
            assert answer.startswith(GOOD), answer
            self.waits_s.append(perf_counter() - began - at)
            self.acknowledged.add(number)

    @override
    def __str__(self) -> str:
        waits = sorted(self.waits_s)
        p50, p99 = (waits[int(len(waits) * part)] * 1000 for part in (0.5, 0.99))
        rate = len(waits) / self.took_s
        return f"p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  {rate:6.0f} a second"


# So many that no more events of one athlete wait than may.
ATHLETES = 1000


def build_event(number: int) -> str:
    return json.dumps(
        {
            "object_type": "activity",
            "object_id": number,
            "aspect_type": "create",
            "owner_id": ATHLETE + number % ATHLETES,
            "subscription_id": 1,
            "event_time": 1_777_000_000,
            "updates": {},
        }
    )


def _send_times(rate: float) -> Iterator[float]:
    """Give the moments of a Poisson process, the same ones in each run."""
    rng = Random(1)  # noqa: S311
    return accumulate(rng.expovariate(rate_per_s) for rate_per_s in repeat(rate))
