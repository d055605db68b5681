"""Strava's list of runs, baked beforehand: the stand-in costs next to nothing."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from sync.simulator import shapes
from sync.simulator.records import Activity
from tests.lab.bench.linked_runner import ATHLETE
from tests.support.clock import NOON
from tests.support.servers import HOST

PAGE = 200
TOKENS = {
    "token_type": "Bearer",
    "expires_at": int((NOON + timedelta(days=1)).timestamp()),
    "expires_in": 24 * 3600,
    "refresh_token": "refresh",
    "access_token": "access",
    "athlete": {"id": ATHLETE, "created_at": "1970-01-01T00:00:00Z"},
}


@contextmanager
def serve_pages(counts: Iterable[int]) -> Iterator[str]:
    """Serve lists of so many runs; `<address>/<count>` is the API of each."""
    CannedPagesHandler.pages = {count: build_pages(count) for count in counts}
    server = ThreadingHTTPServer((HOST, 0), CannedPagesHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{HOST}:{server.server_address[1]}"
    server.shutdown()


class CannedPagesHandler(BaseHTTPRequestHandler):
    """Answers any list request with the page that was baked for its number."""

    protocol_version = "HTTP/1.1"
    pages: dict[int, list[bytes]]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        count = int(address.path.split("/")[1])
        page = int(parse_qs(address.query)["page"][0])
        pages = self.pages[count]
        self._answer(pages[page - 1] if page <= len(pages) else b"[]")

    def do_POST(self) -> None:
        """Hand out a pair of tokens, whatever the code."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(json.dumps(TOKENS).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


def build_pages(count: int) -> list[bytes]:
    records = [
        shapes.build_activity_summary(
            Activity(
                id=20_000_000_000 + number,
                athlete_id=ATHLETE,
                name="Morning Run",
                sport_type="Run",
                start_s=int(NOON.timestamp()) - (number + 1) * 30_000,
                zone="Europe/London",
                distance_m=5000.0 + number % 50,
                moving_s=1800,
                elapsed_s=1850,
                device_name="Garmin Forerunner 265",
            )
        )
        for number in range(count)
    ]
    return [
        json.dumps(records[first : first + PAGE]).encode()
        for first in range(0, count, PAGE)
    ]
