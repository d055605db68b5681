"""How we speak to Strava: patiently, to one address, and without telling secrets."""

import json
import logging
from collections.abc import Generator
from pathlib import Path
from socket import socket
from time import sleep
from urllib.parse import parse_qs, urlsplit

import pytest

from sync.errors import MoodmilesError, StravaUnavailable
from sync.settings import Settings
from sync.simulator.records import SimulatedFault
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava import Lane
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.strava.http import build_session, translate_errors
from tests.support.clock import NOON
from tests.support.http_listener import HttpListener, run_http_listener
from tests.support.lying_servers import Talk, run_server
from tests.support.servers import HOST, free_port, run_valkey

SECRET = "very-secret"
TOKEN = "tok-en"


@pytest.fixture
def http_listener() -> Generator[HttpListener]:
    with run_http_listener() as heard:
        yield heard


def strava_at(site: str, api: str | None = None, *, redis_url: str = "") -> HttpStrava:
    settings = Settings(
        strava_client_id=1,
        strava_client_secret=SECRET,
        strava_site_url=site,
        strava_api_url=api or f"{site}/api/v3",
    )
    return HttpStrava(settings, budget=Budget(redis_url, clock=lambda: NOON))


def get_page(strava: HttpStrava) -> int:
    return strava.page(TOKEN, lane=Lane.RECONCILE).size


def test_the_token_travels_in_the_header_alone(http_listener: HttpListener) -> None:
    get_page(strava_at(http_listener.url))

    (asked,) = http_listener.requests
    assert asked.path == "/api/v3/athlete/activities?page=1&per_page=200"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


def test_an_address_without_a_prefix_serves_as_well(
    http_listener: HttpListener,
) -> None:
    get_page(strava_at("http://127.0.0.1:9", api=http_listener.url))

    assert urlsplit(http_listener.requests[0].path).path == "/athlete/activities"


def test_tokens_are_asked_for_at_the_site(http_listener: HttpListener) -> None:
    http_listener.body = json.dumps(
        {"access_token": "a", "refresh_token": "b", "expires_at": 1_800_000_000}
    )

    fresh = strava_at(http_listener.url, api="http://127.0.0.1:9").refresh("old")

    (asked,) = http_listener.requests
    assert (asked.method, asked.path) == ("POST", "/oauth/token")
    assert parse_qs(asked.body) == {
        "client_id": ["1"],
        "client_secret": [SECRET],
        "grant_type": ["refresh_token"],
        "refresh_token": ["old"],
    }
    assert (fresh.access, fresh.refresh) == ("a", "b")


def test_an_exchange_without_an_athlete_asks_who_it_was(
    http_listener: HttpListener,
) -> None:
    pair = {"access_token": "a", "refresh_token": "b", "expires_at": 1_800_000_000}
    http_listener.body = lambda path: json.dumps(
        {"id": 7} if "athlete" in path else pair
    )

    grant = strava_at(http_listener.url).exchange("code")

    assert grant.athlete_id == 7
    assert [asked.path for asked in http_listener.requests] == [
        "/oauth/token",
        "/api/v3/athlete",
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        [],
        None,
        "text",
        {"access_token": "a", "expires_at": 1_800_000_000},
        {"access_token": "", "refresh_token": "b", "expires_at": 1_800_000_000},
        {"access_token": "a", "refresh_token": 5, "expires_at": 1_800_000_000},
        {"access_token": "a", "refresh_token": "b", "expires_at": "soon"},
        {"access_token": "a", "refresh_token": "b", "expires_at": 10**30},
    ],
)
def test_tokens_of_another_shape_are_no_tokens(
    http_listener: HttpListener, odd: object
) -> None:
    http_listener.body = json.dumps(odd)

    with pytest.raises(StravaUnavailable):
        strava_at(http_listener.url).refresh("old")


def test_a_revocation_carries_our_name_and_the_token(
    http_listener: HttpListener,
) -> None:
    http_listener.body = ""

    strava_at(http_listener.url).revoke(TOKEN)

    (asked,) = http_listener.requests
    assert (asked.method, asked.path) == ("POST", "/oauth/revoke")
    assert asked.headers["Authorization"].startswith("Basic ")
    assert parse_qs(asked.body) == {"token": [TOKEN]}


def test_a_redirect_is_not_followed(http_listener: HttpListener) -> None:
    http_listener.status, http_listener.headers = (
        302,
        {"Location": f"{http_listener.url}/elsewhere"},
    )

    with pytest.raises(StravaUnavailable):
        get_page(strava_at(http_listener.url))

    assert len(http_listener.requests) == 1


def test_one_runner_s_cookies_do_not_travel_with_the_next(
    http_listener: HttpListener,
) -> None:
    http_listener.headers = {"Set-Cookie": "_strava4_session=abc; Path=/"}
    strava = strava_at(http_listener.url)

    get_page(strava)
    get_page(strava)

    assert http_listener.requests[1].headers["Cookie"] is None


def test_a_netrc_does_not_replace_the_token(
    http_listener: HttpListener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    get_page(strava_at(http_listener.url))

    assert http_listener.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_credentials_in_the_environment_change_nothing(
    http_listener: HttpListener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("STRAVA_CLIENT_ID", "5")
    monkeypatch.setenv("STRAVA_CLIENT_SECRET", "other")

    get_page(strava_at(http_listener.url))

    assert len(http_listener.requests) == 1
    assert caplog.records == []


def test_a_strava_that_takes_too_long_is_given_up() -> None:
    world = World()
    with world.transaction():
        world.faults.put(SimulatedFault(id=1, kind="slow", seconds=0.5))

    with (
        serve_in_thread(world) as site,
        build_session(read_s=0.1) as http,
        pytest.raises(StravaUnavailable, match="ReadTimeout"),
    ):
        translate_errors(lambda: http.get(f"{site}/api/v3/athlete"))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drip(start: bytes, piece: bytes) -> Talk:
    """Answer piece by piece without end, each soon enough for a timeout of its own."""

    def talk(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            sleep(0.02)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        pytest.param(drip(b"", b"H"), id="status"),
        pytest.param(drip(HEAD + b"X-Odd: ", b"x"), id="header"),
        pytest.param(drip(HEAD + b"Content-Length: 9999\r\n\r\n", b" "), id="body"),
        pytest.param(drip(HEAD + b"\r\n", b" "), id="body-without-length"),
        pytest.param(
            drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
            id="chunks",
        ),
    ],
)
def test_an_answer_that_never_ends_is_given_up(talk: Talk) -> None:
    with (
        run_server(talk) as port,
        build_session(read_s=5, answer_s=0.5) as http,
        pytest.raises(StravaUnavailable, match="AnswerTooSlow"),
    ):
        translate_errors(lambda: http.get(f"http://{HOST}:{port}/api/v3/athlete"))


def test_an_answer_larger_than_any_is_not_kept() -> None:
    def pour(connection: socket) -> None:
        connection.recv(4096)
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b" " * 100_000)

    with (
        run_server(pour) as port,
        build_session() as http,
        pytest.raises(StravaUnavailable, match="AnswerTooLarge"),
    ):
        translate_errors(lambda: http.get(f"http://{HOST}:{port}/api/v3/athlete"))


def test_a_line_serves_several_requests(http_listener: HttpListener) -> None:
    with build_session(answer_s=0.3) as http:
        for _ in range(3):
            http.get(f"{http_listener.url}/api/v3/athlete")
            sleep(0.2)

    assert len(http_listener.requests) == 3


def test_a_request_that_never_left_costs_nothing() -> None:
    with run_valkey() as redis:
        strava = strava_at(f"http://127.0.0.1:{free_port()}", redis_url=redis.url)

        with pytest.raises(StravaUnavailable):
            get_page(strava)

        state = strava.budget.state()

    assert state.is_shared
    assert state.meters[0].used == 0


def test_a_secret_is_in_no_error_and_in_no_log(
    http_listener: HttpListener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nobody = strava_at(f"http://127.0.0.1:{free_port()}")
    somebody = strava_at(http_listener.url)
    http_listener.status, http_listener.body = 400, f"<p>{SECRET} {TOKEN}</p>"
    texts = []

    for strava in (nobody, somebody):
        for asks in (
            strava.subscriptions,
            lambda strava=strava: strava.unsubscribe(1),
            lambda strava=strava: strava.subscribe("http://h/cb", "verify"),
            lambda strava=strava: strava.refresh(TOKEN),
            lambda strava=strava: strava.revoke(TOKEN),
            lambda strava=strava: strava.run(TOKEN, 1, lane=Lane.RECONCILE),
        ):
            with pytest.raises(MoodmilesError) as error:
                asks()
            assert error.value.__context__ is None
            assert error.value.__cause__ is None
            texts.append(str(error.value))

    said = "\n".join([*texts, caplog.text])
    assert SECRET not in said
    assert TOKEN not in said
    assert "127.0.0.1" not in "\n".join(texts)
