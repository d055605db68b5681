"""What the event loop hands to the application of a body that comes in pieces."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from web.http.wsgi_adapter import WsgiAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def echo(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def post(pieces: list[bytes], *headers: tuple[bytes, bytes]) -> bytes:
    """Post these pieces, and return the answer's body."""
    messages = [
        {"type": "http.request", "body": piece, "more_body": index < len(pieces)}
        for index, piece in enumerate(pieces, start=1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": b"/",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", "8000"),
        "scheme": "http",
        "http_version": "1.1",
    }
    adapter = WsgiAdapter(echo, lambda _environ: "me")
    asyncio.run(adapter(scope, receive, send))
    return b"".join(message.get("body", b"") for message in sent)


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked"])
def test_an_empty_piece_is_no_end(coding: bytes) -> None:
    body = post([b"", b"mood=", b"", b"4"], (b"transfer-encoding", coding))

    assert body == b"mood=4"


def test_what_comes_behind_the_announced_length_is_not_read() -> None:
    body = post([b"mood=", b"4", b"GET /"], (b"content-length", b"6"))

    assert body == b"mood=4"
