"""The seats of waiting bodies: a client that takes many ends its own requests."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from flask import Flask

from sync.runtime import Runtime
from web.app import create_app
from web.http import clients
from web.http.waiting_bodies import WaitingBodies
from web.http.wsgi_adapter import AdapterLimits, WsgiAdapter

SEATS = 6


async def wait_in_seat(bodies: WaitingBodies, client: str) -> str:
    """Wait as a body that never comes does; return whose waiting has been ended."""
    try:
        async with asyncio.timeout(60) as timeout:
            with bodies.hold_seat({"REMOTE_ADDR": client}, timeout):
                await asyncio.Event().wait()
    except TimeoutError:
        return client
    raise AssertionError("it waits for ever")


def list_ended(arrivals: Sequence[str]) -> list[str]:
    """Let bodies of these clients arrive in turn; return whose were ended, in order."""

    async def arrive() -> list[str]:
        bodies = WaitingBodies(SEATS, lambda environ: environ["REMOTE_ADDR"])
        ended: list[str] = []
        tasks = []
        for client in arrivals:
            task = asyncio.create_task(wait_in_seat(bodies, client))
            task.add_done_callback(
                lambda task: None if task.cancelled() else ended.append(task.result())
            )
            tasks.append(task)
            await asyncio.sleep(0.01)
        waiting = [task for task in tasks if not task.done()]
        assert len(waiting) <= SEATS
        for task in waiting:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return ended

    return asyncio.run(arrive())


@pytest.mark.parametrize(
    ("arrivals", "ended"),
    [
        ("abcdef", ""),
        ("aaaaaaaaa", "aaa"),
        ("baaaaaa", "a"),
        ("baaaaac", "a"),
        ("aaabbbc", "a"),
        ("aaabbbcd", "ab"),
        ("abcdefg", "a"),
    ],
)
def test_the_client_with_most_seats_gives_one_up(arrivals: str, ended: str) -> None:
    assert list_ended(arrivals) == list(ended)


def send_requests(
    adapter: WsgiAdapter, *requests: tuple[dict[str, Any], float | None]
) -> list[int]:
    """Send requests at once; their bodies arrive after a while, or never."""

    async def send_one(scope: dict[str, Any], arrives_after_s: float | None) -> int:
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            if arrives_after_s is None:
                await asyncio.Event().wait()
            await asyncio.sleep(arrives_after_s or 0)
            return {"type": "http.request", "body": b"a=b", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await adapter(scope, receive, send)
        return statuses[0]

    async def send_all() -> list[int]:
        calls: list[Coroutine[Any, Any, int]] = [
            send_one(scope, arrives_after_s) for scope, arrives_after_s in requests
        ]
        return list(await asyncio.gather(*calls))

    return asyncio.run(send_all())


def build_scope(forwarded_for: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/nowhere",
        "query_string": b"",
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.1", "40000"),
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"content-length", b"3"),
            (b"x-forwarded-for", forwarded_for.encode()),
        ],
    }


def find_client(app: Flask, environ: dict[str, Any]) -> str | None:
    with app.request_context(environ):
        return clients.client_network()


def test_behind_a_proxy_the_clients_are_told_apart(runtime: Runtime) -> None:
    """A flood of one address ends itself, not the slow body of another one."""
    app = create_app(runtime)
    adapter = WsgiAdapter(
        app,
        lambda environ: find_client(app, environ),
        limits=AdapterLimits(max_waiting_bodies=SEATS),
    )
    flood = [(build_scope("203.0.113.5"), 0.2)] * 30

    honest, *others = send_requests(adapter, (build_scope("198.51.100.7"), 0.2), *flood)

    assert honest == 404
    assert others.count(408) >= 30 - SEATS
    assert others.count(404) + others.count(408) == 30


def test_a_body_that_is_whole_waits_for_none_that_is_not(runtime: Runtime) -> None:
    app = create_app(runtime)
    adapter = WsgiAdapter(app, lambda environ: "", limits=AdapterLimits(SEATS))
    scope = build_scope("")

    statuses = send_requests(adapter, *[(scope, 0.1)] * SEATS, *[(scope, 0)] * 3)

    assert statuses[-3:] == [404] * 3
