"""One subscription for each app, made only with a callback that listens."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from tests.support.servers import free_port
from tests.sync.simulator.api_client import CLIENT, SimulatorClient, read_error
from tests.sync.simulator.callback_server import CallbackServer, run_callback_server

PATH = "/api/v3/push_subscriptions"


@pytest.fixture
def callback() -> Iterator[CallbackServer]:
    with run_callback_server() as callback:
        yield callback


def subscribe(caller: SimulatorClient, url: str) -> TestResponse:
    form = CLIENT | {"callback_url": url, "verify_token": "verify"}
    return caller.http.post(PATH, data=form)


def test_the_handshake_makes_a_subscription(
    caller: SimulatorClient, callback: CallbackServer
) -> None:
    answer = subscribe(caller, callback.url)

    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["callback_url"] == callback.url
    assert callback.handshakes[0]["hub.mode"] == "subscribe"
    assert callback.handshakes[0]["hub.verify_token"] == "verify"


def test_it_can_be_seen_and_ended(
    caller: SimulatorClient, callback: CallbackServer
) -> None:
    made = subscribe(caller, callback.url).json
    seen = caller.http.get(PATH, query_string=CLIENT).json
    assert made is not None

    ended = caller.http.delete(f"{PATH}/{made['id']}", query_string=CLIENT)

    assert seen == [made]
    assert ended.status_code == 204
    assert caller.http.get(PATH, query_string=CLIENT).json == []


def test_a_second_one_is_refused(
    caller: SimulatorClient, callback: CallbackServer
) -> None:
    subscribe(caller, callback.url)

    answer = subscribe(caller, callback.url)

    assert read_error(answer) == (400, "PushSubscription", "", "already exists")


def test_a_callback_that_does_not_echo_is_refused(
    caller: SimulatorClient, callback: CallbackServer
) -> None:
    callback.echoes = False

    answer = subscribe(caller, callback.url)

    assert read_error(answer)[:3] == (400, "PushSubscription", "callback url")


def test_a_secret_in_the_query_breaks_the_handshake(
    caller: SimulatorClient, callback: CallbackServer
) -> None:
    answer = subscribe(caller, f"{callback.url}?secret=abc")

    assert answer.status_code == 400
    assert "hub.mode" not in callback.handshakes[0]


def test_a_callback_that_nobody_answers_is_refused(caller: SimulatorClient) -> None:
    answer = subscribe(caller, f"http://127.0.0.1:{free_port()}/hook")

    assert read_error(answer) == (
        400,
        "PushSubscription",
        "callback url",
        "GET to callback URL does not return 200",
    )


def test_a_callback_that_answers_with_a_page_is_refused(
    caller: SimulatorClient, callback: CallbackServer
) -> None:
    callback.speaks_json = False

    answer = subscribe(caller, callback.url)

    assert read_error(answer)[3] == "GET to callback URL does not return JSON"


def test_an_unknown_subscription_cannot_be_ended(caller: SimulatorClient) -> None:
    answer = caller.http.delete(f"{PATH}/9", query_string=CLIENT)

    assert read_error(answer) == (404, "PushSubscription", "id", "not found")


@pytest.mark.parametrize(
    "url", ["", "hook", "ftp://localhost/hook", "http://", "http://[x"]
)
def test_an_address_that_is_none_is_refused(caller: SimulatorClient, url: str) -> None:
    assert subscribe(caller, url).status_code == 400


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_a_wrong_client_is_refused(caller: SimulatorClient, field: str) -> None:
    answer = caller.http.get(PATH, query_string=CLIENT | {field: "9"})

    assert read_error(answer) == (400, "Application", field, "invalid")
