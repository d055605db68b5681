"""What is for the person at this machine is shown to nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from sync.runtime import Runtime
from tests.support.route_access import get_access, list_addresses
from tests.sync.test_local_requests import FORWARDING
from tests.web.http.test_headers import open_other_app

STRANGER = "203.0.113.7"
# These are for machines elsewhere: Strava, and probes of a container.
FOR_MACHINES = {
    *("webhooks.confirm_subscription", "webhooks.receive_event"),
    *("health.healthz", "health.readyz"),
}
REFUSED = 403


@pytest.fixture
def client(runtime: Runtime, tmp_path: Path) -> FlaskClient:
    """Open a demo: the mailbox is shown, and Strava is simulated."""
    return open_other_app(runtime, mailbox_dir=tmp_path / "mailbox")


@pytest.fixture
def addresses(client: FlaskClient) -> list[tuple[str, str]]:
    ids = {"word": "runs-10000"}
    return [
        (address.method, address.path)
        for address in list_addresses(client.application, ids)
        if get_access(address.endpoint) == "local"
    ]


def ask_all(
    client: FlaskClient,
    addresses: list[tuple[str, str]],
    *,
    peer: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
) -> Iterator[int]:
    for method, path in addresses:
        answer = client.open(
            path,
            method=method,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": peer},
        )
        yield answer.status_code


def test_every_page_for_the_host_is_placed(client: FlaskClient) -> None:
    rules = list(client.application.url_map.iter_rules())

    assert {rule.endpoint for rule in rules if get_access(rule.endpoint) == "host"} == (
        FOR_MACHINES
    )
    assert {
        rule.endpoint.partition(".")[0]
        for rule in rules
        if get_access(rule.endpoint) == "local"
    } == {"mailbox", "fixtures", "health"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_person_at_this_machine_sees_them(client: FlaskClient, peer: str) -> None:
    for path in ("/mailbox", "/states", "/metrics"):
        answer = client.get(path, environ_overrides={"REMOTE_ADDR": peer})
        assert answer.status_code == 200, path


@pytest.mark.parametrize("peer", [STRANGER, "::ffff:203.0.113.7", "10.0.0.1", ""])
def test_a_stranger_sees_none(
    client: FlaskClient, addresses: list[tuple[str, str]], peer: str
) -> None:
    assert set(ask_all(client, addresses, peer=peer)) == {REFUSED}


@pytest.mark.parametrize("name", FORWARDING)
def test_nobody_sees_them_through_a_proxy(
    client: FlaskClient, addresses: list[tuple[str, str]], name: str
) -> None:
    assert set(ask_all(client, addresses, headers={name: "127.0.0.1"})) == {REFUSED}


def test_nginx_as_it_comes_adds_no_header_and_is_noticed(
    client: FlaskClient, addresses: list[tuple[str, str]]
) -> None:
    for method, path in addresses:
        answer = client.open(
            path, method=method, environ_overrides={"SERVER_PROTOCOL": "HTTP/1.0"}
        )
        assert answer.status_code == REFUSED, path


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "0"])
def test_no_other_name_leads_to_them(
    client: FlaskClient, addresses: list[tuple[str, str]], host: str
) -> None:
    answers = set(ask_all(client, addresses, headers={"Host": host}))

    assert answers <= {REFUSED, 421}


def test_a_refusal_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/mailbox", environ_overrides={"REMOTE_ADDR": STRANGER}).text

    assert "on the machine that Moodmiles runs on" in page
    assert "MOODMILES_SMTP_URL" in page


def test_a_stranger_is_not_told_of_the_stand_ins(client: FlaskClient) -> None:
    here = client.get("/").text
    elsewhere = client.get("/", environ_overrides={"REMOTE_ADDR": STRANGER}).text

    assert 'class="demo"' in here
    assert 'class="demo"' not in elsewhere


def test_no_other_website_opens_a_state(client: FlaskClient) -> None:
    answer = client.get("/states/no-runs", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == REFUSED
    assert "Set-Cookie" not in answer.headers or "moodmiles=" not in str(answer.headers)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {'let me see ' * 3}", 200),
        ("Bearer let me", 401),
        ("Bearer ", 401),
        ("", 401),
        (f"Basic {'let me see ' * 3}", 401),
    ],
)
@pytest.mark.parametrize("peer", ["127.0.0.1", STRANGER])
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.0.0.9:8000", "run.example"])
def test_with_a_token_the_token_alone_opens_the_numbers(
    runtime: Runtime, authorization: str, status: int, peer: str, host: str
) -> None:
    client = open_other_app(
        runtime,
        public_url="https://run.example",
        metrics_token=SecretStr("let me see " * 3),
    )

    answer = client.get(
        "/metrics",
        headers={"Authorization": authorization, "Host": host},
        environ_overrides={"REMOTE_ADDR": peer},
    )

    assert answer.status_code == status


@pytest.mark.parametrize("peer", ["127.0.0.1", STRANGER])
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "run.example"])
def test_without_a_token_a_public_host_shows_no_numbers(
    runtime: Runtime, peer: str, host: str
) -> None:
    client = open_other_app(runtime, public_url="https://run.example")

    answer = client.get(
        "/metrics", headers={"Host": host}, environ_overrides={"REMOTE_ADDR": peer}
    )

    assert answer.status_code == 404
