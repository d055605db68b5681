"""The server as shipped: no request that is never finished stops another one."""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from sync.runtime import Runtime
from tests.support.echo_app import LARGE_BYTES, SLOW_S, STUCK_AFTER_S
from tests.support.held_connections import (
    UNFINISHED,
    allow_files,
    ask_for_much,
    drip,
    read_to_end,
)
from tests.support.route_access import list_addresses
from tests.support.servers import HOST, TIMEOUT_S, run_valkey, wait_until
from tests.support.web_process import HOOK, PATIENCE_S, WebProcess, run_web
from web.app import create_app
from web.http.body_limits import MAX_BODY_BYTES

pytestmark = pytest.mark.processes

BODIES = [kind for kind in UNFINISHED if kind not in {"headers", "first line", "idle"}]
IDS = {"number": "1", "token": "some-token"}
SECURITY_HEADERS = {
    "content-security-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "cache-control",
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebProcess]:
    """Serve the pages: by one process on SQLite, by two on PostgreSQL."""
    folder = tmp_path_factory.mktemp("web")
    if request.param == "sqlite":
        empty = request.getfixturevalue("sqlite_template")
        (folder / "moodmiles.sqlite3").write_bytes(empty.read_bytes())
        url, processes = "", 1
    else:
        url, processes = request.getfixturevalue("postgres_url"), 2
    with (
        run_valkey() as redis,
        run_web(
            folder, database_url=url, redis_url=redis.url, processes=processes
        ) as web,
    ):
        assert web.send_event().status == 200
        yield web


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """Serve applications of the tests' own by the same server."""
    folder = tmp_path_factory.mktemp("echo")
    with run_web(folder, app="tests.support.echo_app:app") as web:
        yield web


def assert_all_is_answered(web: WebProcess) -> None:
    """Ask twice as often as there are processes: each of them has its turn."""
    for _ in range(4):
        assert web.ask("/healthz").status == 200
        assert web.send_event().status == 200


def test_unfinished_requests_to_any_address_stop_nobody(
    web: WebProcess, runtime: Runtime
) -> None:
    addresses = list_addresses(create_app(runtime), IDS)
    posts = {address.path for address in addresses if address.method == "POST"}
    posts |= {"/", "/nowhere", HOOK, HOOK[:-1], "/static/app.css"}

    for path in sorted(posts):
        with web.hold_requests(list(UNFINISHED), path=path, count=20):
            assert_all_is_answered(web)


# What a process opens once, with its first requests: tables, Redis, waiting loops.
OPENED_ONCE = 40


def test_hundreds_of_each_kind_are_ended_and_leave_nothing(web: WebProcess) -> None:
    assert allow_files(6000)
    files, threads = web.count_files(), web.count_threads()

    hold_to_the_end(web, HOOK)
    wait_until(lambda: web.count_files() <= files + OPENED_ONCE)
    files = web.count_files()
    hold_to_the_end(web, "/login")

    wait_until(lambda: web.count_files() <= files + 5)
    assert web.count_threads() <= threads
    assert "Traceback" not in web.log.read_text()


def hold_to_the_end(web: WebProcess, path: str) -> None:
    """Hold 200 requests of each kind until the server ends them."""
    with web.hold_requests(list(UNFINISHED), path=path, count=200) as held:
        assert_all_is_answered(web)
        ends = [read_to_end(connection, within_s=30) for connection in held]
        assert_all_is_answered(web)

    per_kind = [ends[start] for start in range(0, len(ends), 200)]
    answers = dict(zip(UNFINISHED, per_kind, strict=True))
    for kind in BODIES:
        assert b" 408 Request Timeout\r\n" in answers[kind], kind
        for name in SECURITY_HEADERS:
            assert name.encode() in answers[kind]
    assert answers["headers"] == answers["first line"] == answers["idle"] == b""


def test_a_byte_a_second_is_too_slow(web: WebProcess) -> None:
    kinds = ["short", "multipart", "headers", "first line"]
    with web.hold_requests(kinds, path="/login", count=50) as held:
        dripping = Thread(target=drip, args=(held,), kwargs={"seconds": 12})
        dripping.start()
        try:
            for _ in range(5):
                assert_all_is_answered(web)
                time.sleep(1)
            ends = [read_to_end(connection, within_s=30) for connection in held]
        finally:
            dripping.join()

    assert all(end.startswith(b"HTTP/1.1 408") or not end for end in ends)
    assert sum(bool(end) for end in ends) <= 100  # half of them had no body


def test_idle_connections_leave_the_door_open(web: WebProcess) -> None:
    if not allow_files(5000):
        pytest.skip("this machine lets nobody open so many files")
    with web.hold_requests(["idle", "headers"], path="/", count=2000):
        assert_all_is_answered(web)


def test_a_connection_that_was_used_does_not_stay_for_ever(web: WebProcess) -> None:
    with socket.create_connection((HOST, web.port)) as connection:
        connection.sendall(
            f"GET /healthz HTTP/1.1\r\nHost: {web.host}\r\n\r\n".encode()
        )

        assert read_to_end(connection, within_s=30).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /{long} HTTP/1.1\r\nHost: {host}\r\n\r\n", 414),
        ("GET /?{long} HTTP/1.1\r\nHost: {host}\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n", 431),
        ("POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 70000\r\n\r\n", 413),
        (
            (
                "POST /login HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\n"
                "Content-Length: 99999999999\r\n\r\n"
            ),
            413,
        ),
        (
            (
                f"POST {HOOK} HTTP/1.1\r\nHost: {{host}}\r\n"
                "Transfer-Encoding: chunked\r\n\r\n{chunks}"
            ),
            413,
        ),
        (
            (
                "POST /login HTTP/1.1\r\nHost: {host}\r\n"
                "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n"
            ),
            400,
        ),
        (
            (
                "POST /login HTTP/1.1\r\nHost: {host}\r\n"
                "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
    ],
)
def test_what_is_refused_has_our_headers_and_ends_the_connection(
    web: WebProcess, request_text: str, status: int
) -> None:
    chunk = f"8000\r\n{'x' * 0x8000}\r\n"
    text = request_text.format(
        host=web.host,
        long="a" * 10_000,
        lines=f"X-Long: {'a' * 8000}\r\n" * 4,
        chunks=chunk * 3,
    )
    with socket.create_connection((HOST, web.port)) as connection:
        connection.sendall(text.encode())
        answer = read_to_end(connection, within_s=PATIENCE_S)

    head = answer.partition(b"\r\n\r\n")[0].decode().lower().splitlines()
    assert head[0].split()[1] == str(status)
    names = {line.partition(":")[0] for line in head[1:]}
    assert names >= SECURITY_HEADERS | {"connection"}
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_of_the_largest_size_is_read(web: WebProcess) -> None:
    largest = web.ask("/nowhere", method="POST", body=b"a" * MAX_BODY_BYTES)
    larger = web.ask("/nowhere", method="POST", body=b"a" * (MAX_BODY_BYTES + 1))

    assert (largest.status, larger.status) == (404, 413)


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 6\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
    ],
)
def test_a_body_without_a_clear_end_is_refused(web: WebProcess, framing: str) -> None:
    head = f"POST /nowhere HTTP/1.1\r\nHost: {web.host}\r\n{framing}\r\n"
    hidden = f"5\r\nhello\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: {web.host}\r\n\r\n"
    with socket.create_connection((HOST, web.port)) as connection:
        connection.sendall((head + hidden).encode())
        answer = read_to_end(connection, within_s=PATIENCE_S)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_two_lengths_are_read_in_one_way(echo: WebProcess) -> None:
    """The chunks count, as RFC 9112 has it, and the application sees one length."""
    head = (
        f"POST /echo HTTP/1.1\r\nHost: {echo.host}\r\nConnection: close\r\n"
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((HOST, echo.port)) as connection:
        connection.sendall(f"{head}5\r\nhello\r\n0\r\n\r\n".encode())
        answer = read_to_end(connection, within_s=PATIENCE_S)

    assert b'"body": "hello"' in answer
    assert b'"CONTENT_LENGTH": "5"' in answer
    assert b"TRANSFER_ENCODING" not in answer


def test_slow_readers_of_large_answers_hold_no_thread(echo: WebProcess) -> None:
    time.sleep(1)  # the server listens for a moment before it limits its readers
    before_kb, files = echo.memory_kb(), echo.count_files()
    with ask_for_much(echo.port, "/large", count=200):
        wait_until(lambda: echo.count_files() > files + 190)
        for _ in range(3):
            assert echo.ask("/small").status == 200
        # None holds the whole answer in memory, let alone 200 copies of it.
        assert echo.memory_kb() - before_kb < 200 * LARGE_BYTES / 1000 / 8

        wait_until(lambda: echo.count_files() <= files + 5)

    assert len(echo.ask("/large").body) == LARGE_BYTES


def test_a_process_that_hangs_is_replaced(echo: WebProcess) -> None:
    (hanging,) = echo.list_workers()
    with socket.create_connection((HOST, echo.port)) as connection:
        connection.sendall(f"GET /hang HTTP/1.1\r\nHost: {echo.host}\r\n\r\n".encode())

        assert read_to_end(connection, within_s=TIMEOUT_S) == b""

    wait_until(echo.is_answering)
    assert echo.list_workers() != [hanging]
    assert 'echo_app.py", line' in echo.log.read_text()


def test_others_are_answered_beside_work_that_hangs_until_its_process_is_replaced(
    tmp_path: Path,
) -> None:
    with (
        run_web(tmp_path, app="tests.support.echo_app:app") as echo,
        ExitStack() as stack,
    ):
        (hanging,) = echo.list_workers()
        request = f"GET /hang-by-turns HTTP/1.1\r\nHost: {echo.host}\r\n\r\n"
        connections = [
            stack.enter_context(socket.create_connection((HOST, echo.port)))
            for _ in range(8)
        ]
        for connection in connections:
            connection.sendall(request.encode())
        beside_it = [echo.ask("/").status for _ in range(20)]
        workers_then = echo.list_workers()
        rest = read_to_end(connections[0], within_s=TIMEOUT_S)
        wait_until(echo.is_answering)

        assert beside_it == [200] * 20
        assert workers_then == [hanging]
        assert rest == b""
        assert echo.list_workers() != [hanging]


def test_a_volley_of_one_client_ends_no_process_and_delays_no_other(
    echo: WebProcess,
) -> None:
    count = int(2 * STUCK_AFTER_S / SLOW_S)
    request = f"GET /slow HTTP/1.1\r\nHost: {echo.host}\r\nConnection: close\r\n\r\n"
    workers_then = echo.list_workers()
    with ExitStack() as stack:
        volley = [
            stack.enter_context(
                socket.create_connection((HOST, echo.port), None, ("127.0.0.2", 0))
            )
            for _ in range(count)
        ]
        for connection in volley:
            connection.sendall(request.encode())
        other = echo.ask("/")  # from 127.0.0.1
        unanswered = set(volley) - set(select.select(volley, [], [], 0)[0])
        answers = [read_to_end(connection, within_s=60) for connection in volley]

    assert other.status == 200
    assert len(unanswered) > count / 2
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert echo.list_workers() == workers_then


def test_the_environ_is_the_one_that_wsgi_has(echo: WebProcess) -> None:
    request = (
        "POST /ech%6F?q=%20\u00e9 HTTP/1.1\r\nHost: run.example.org\r\n"
        "Cookie: a=1\r\nCookie: b=2\r\nX-Two: 1\r\nX-Two: 2\r\n"
        "X_Forwarded_For: 192.0.2.1\r\nX-Odd: \u00e9\r\nContent-Type: text/plain\r\n"
        "Content-Length: 5\r\nConnection: close\r\n\r\nhello"
    )
    with socket.create_connection((HOST, echo.port)) as connection:
        connection.sendall(request.encode())
        head, _, body = read_to_end(connection, within_s=PATIENCE_S).partition(
            b"\r\n\r\n"
        )

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(body) == {
        "CONTENT_LENGTH": "5",
        "CONTENT_TYPE": "text/plain",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "HTTP_CONNECTION": "close",
        "HTTP_COOKIE": "a=1;b=2",
        "HTTP_HOST": "run.example.org",
        "HTTP_X_ODD": "",
        "HTTP_X_TWO": "1,2",
        "PATH_INFO": "/echo",
        "QUERY_STRING": "q=%20\u00c3\u00a9",
        "REMOTE_ADDR": HOST,
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "SERVER_NAME": HOST,
        "SERVER_PORT": str(echo.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "Granian",
        "body": "hello",
        "wsgi.input_terminated": True,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": "http",
    }
