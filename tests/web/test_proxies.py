"""The proxies that the documents describe, run as they stand there, in front of us."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.held_connections import (
    UNFINISHED,
    allow_files,
    drip,
    hold_connections,
    read_to_end,
)
from tests.support.proxies import (
    NAME,
    Proxy,
    find_proxy,
    run_caddy,
    run_nginx,
)
from tests.support.servers import HOST, run_valkey
from tests.support.web_process import EVENT, PATIENCE_S, run_web

pytestmark = pytest.mark.processes

RUN: dict[str, Callable[[Path, int], AbstractContextManager[Proxy]]] = {
    "caddy": run_caddy,
    "nginx": run_nginx,
}
SECRET = "a-secret-address-of-thirty-letters"
HOOK_PATH = f"/hooks/strava/{SECRET}"
FORGED = "X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-For: 192.0.2.8\r\n"


def start(name: str, folder: Path, app_port: int) -> AbstractContextManager[Proxy]:
    if find_proxy(name) is None:
        pytest.skip(f"{name} is not installed")
    return RUN[name](folder, app_port)


@pytest.fixture(scope="module", params=RUN)
def proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
) -> Iterator[Proxy]:
    """Run a proxy in front of the pages, which have its name."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "moodmiles.sqlite3").write_bytes(sqlite_template.read_bytes())
    public = {
        "MOODMILES_PUBLIC_URL": f"https://{NAME}",
        "MOODMILES_CONTACT": "https://example.org/contact",
        "MOODMILES_STRAVA_WEBHOOK_SECRET": SECRET,
        "MOODMILES_STRAVA_VERIFY_TOKEN": SECRET[::-1],
    }
    with (
        run_valkey() as redis,
        run_web(folder, redis_url=redis.url, settings=public) as web,
        start(request.param, folder, web.port) as proxy,
    ):
        yield proxy


@pytest.fixture(scope="module", params=RUN)
def echoing_proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Run a proxy in front of an application that tells what reaches it."""
    folder = tmp_path_factory.mktemp(request.param)
    with (
        run_web(folder, app="tests.support.echo_app:app") as web,
        start(request.param, folder, web.port) as proxy,
    ):
        yield proxy


def ask(connection: socket.socket, request_text: str) -> str:
    """Send a request over a connection, which then ends; return the whole answer."""
    with connection:
        connection.sendall(request_text.encode())
        return read_to_end(connection, within_s=PATIENCE_S).decode()


def open_page(proxy: Proxy, path: str) -> str:
    head = f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"
    return ask(proxy.connect(), head)


def send_event(proxy: Proxy) -> str:
    head = (
        f"POST {HOOK_PATH} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(EVENT)}\r\n\r\n"
    )
    return ask(proxy.connect(), head + EVENT.decode())


def assert_all_is_answered(proxy: Proxy) -> None:
    assert open_page(proxy, "/healthz").startswith("HTTP/1.1 200")
    assert send_event(proxy).startswith("HTTP/1.1 200")


@pytest.mark.parametrize("kind", UNFINISHED)
def test_unfinished_requests_stop_nobody(proxy: Proxy, kind: str) -> None:
    assert allow_files(4000)
    with hold_connections(
        proxy.connect, [kind], host=NAME, path="/login", count=200
    ) as held:
        for _ in range(2):
            drip(held[:50], seconds=1)
            assert_all_is_answered(proxy)
    assert_all_is_answered(proxy)


def test_people_are_sent_to_https(proxy: Proxy) -> None:
    connection = socket.create_connection((HOST, proxy.http_port))
    answer = ask(
        connection,
        f"GET /login?a=b HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n",
    )

    assert answer.split()[1] in {"301", "308"}
    assert f"ocation: https://{NAME}/login?a=b\r\n" in answer


def test_pages_arrive_with_their_headers(proxy: Proxy) -> None:
    answer = open_page(proxy, "/login").lower()

    assert answer.startswith("http/1.1 200")
    assert "strict-transport-security: max-age=" in answer
    assert "content-security-policy: default-src 'none'" in answer
    assert "set-cookie: __host-" in answer


def test_the_address_of_the_webhook_is_in_no_log(proxy: Proxy) -> None:
    send_event(proxy)

    logs = list(proxy.folder.glob("*.log"))
    assert logs
    assert [log.name for log in logs if SECRET in log.read_text()] == []


def test_a_client_cannot_lend_itself_an_address(echoing_proxy: Proxy) -> None:
    head = f"GET /echo HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n"
    answer = ask(
        echoing_proxy.connect(), f"{head}{FORGED}X_Forwarded_For: 192.0.2.7\r\n\r\n"
    )

    assert f'"HTTP_HOST": "{NAME}"' in answer
    assert f'"HTTP_X_FORWARDED_FOR": "{HOST}"' in answer
    assert f'"REMOTE_ADDR": "{HOST}"' in answer
    assert "192.0.2." not in answer
