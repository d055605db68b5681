"""Whatever bytes come instead of Strava's answer, it is an outage or a page."""

import gzip
import json
from socket import socket

import pytest

from sync.errors import StravaUnavailable
from sync.settings import Settings
from sync.strava import Lane
from sync.strava.api import ActivityPage
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.clock import NOON
from tests.support.lying_servers import Talk, run_server
from tests.support.servers import HOST

RECORD = json.dumps([{"id": 5, "name": "Läufer"}]).encode()
HTML = b"<!DOCTYPE html><h1>Down for maintenance</h1>"
GZIP = "Content-Encoding: gzip\r\n"

# A page of something: a record that is none is one that cannot be read.
PAGES: dict[str, tuple[bytes, str]] = {
    "sound": (RECORD, ""),
    "empty": (b"[]", ""),
    "nulls": (b"[null, null]", ""),
    "of-lists": (b"[[], [[]]]", ""),
    "of-texts": (b'["run"]', ""),
    "twice-the-same-key": (b'[{"id": 1, "id": 2}]', ""),
    "no-number": (b'[{"id": NaN, "distance": Infinity}]', ""),
    "huge-number": (b'[{"id": ' + b"9" * 5000 + b"}]", ""),
    "utf-16": (RECORD.decode().encode("utf-16"), ""),
    "gzip": (gzip.compress(RECORD), GZIP),
}
OUTAGES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", ""),
    "object": (b'{"id": 5}', ""),
    "null": (b"null", ""),
    "text": (b'"busy"', ""),
    "html": (HTML, "Content-Type: text/html\r\n"),
    "half": (RECORD[: len(RECORD) // 2], ""),
    "no-text": (b"\xff\xfe\xfd\xfc", ""),
    "nul": (b"[\x00]", ""),
    "deep": (b"[" * 100_000, ""),
    "half-gzip": (gzip.compress(RECORD)[:-12], GZIP),
    "no-gzip": (RECORD, GZIP),
    "unknown-encoding": (b"\x01\x02", "Content-Encoding: br\r\n"),
}


def answer(body: bytes, headers: str, *, missing: int = 0) -> Talk:
    head = f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(body) + missing}\r\n\r\n"

    def talk(connection: socket) -> None:
        connection.recv(65536)
        connection.sendall(head.encode() + body)

    return talk


def read_page(talk: Talk) -> ActivityPage:
    with run_server(talk) as port:
        site = f"http://{HOST}:{port}"
        settings = Settings(
            strava_client_id=1,
            strava_client_secret="secret",
            strava_site_url=site,
            strava_api_url=f"{site}/api/v3",
        )
        strava = HttpStrava(settings, budget=Budget("", clock=lambda: NOON))
        return strava.page("token", lane=Lane.RECONCILE)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_anything_is_a_page(name: str) -> None:
    page = read_page(answer(*PAGES[name]))

    assert page.size == len(page.unreadable) + len(page.other_activities)


@pytest.mark.parametrize("name", OUTAGES)
def test_what_is_no_page_is_an_outage(name: str) -> None:
    with pytest.raises(StravaUnavailable):
        read_page(answer(*OUTAGES[name]))


@pytest.mark.parametrize("body", [b"", RECORD])
def test_a_line_that_breaks_is_an_outage(body: bytes) -> None:
    with pytest.raises(StravaUnavailable):
        read_page(answer(body, "", missing=10))


def test_a_mark_in_front_of_the_text_is_no_outage_for_ever() -> None:
    """Some proxies put a byte order mark in front of what they pass on."""
    try:
        page = read_page(answer(b"\xef\xbb\xbf" + RECORD, ""))
    except StravaUnavailable:
        return
    assert page.size == 1
