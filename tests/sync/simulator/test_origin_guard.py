"""No other website and no other machine uses a browser here to reach the simulator."""

import re

import pytest
from flask import Flask

from sync.simulator.records import Athlete
from sync.simulator.world import World
from tests.sync.simulator.api_client import REDIRECT, SCOPE, SimulatorClient
from tests.sync.test_local_requests import FORWARDING

EVIL = "http://evil.example"
FOREIGN = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:8000"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Referer": f"{EVIL}/page"},
    {"Referer": "http://localhost.evil.example/"},
]
CONSENT = {
    "client_id": "1",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": SCOPE,
}


def list_requests(app: Flask, *, only_changes: bool = False) -> list[tuple[str, str]]:
    """Return a method and a path for every rule."""
    safe = {"GET", "HEAD", "OPTIONS"} if only_changes else {"HEAD", "OPTIONS"}
    return [
        (method, re.sub(r"<[^>]+>", "7", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - safe
    ]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8400", "0"])
def test_another_name_is_misdirected_everywhere(
    caller: SimulatorClient, host: str
) -> None:
    answers = {
        caller.http.open(path, method=method, headers={"Host": host}).status_code
        for method, path in list_requests(caller.http.application)
    }

    assert answers == {421}


def test_a_rebound_name_reads_no_secret(caller: SimulatorClient) -> None:
    answer = caller.http.get("/control/state", headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert "callback" not in answer.text


@pytest.mark.parametrize("peer", ["203.0.113.7", "::ffff:192.168.1.2", ""])
def test_another_machine_is_refused_everywhere(
    caller: SimulatorClient, peer: str
) -> None:
    for method, path in list_requests(caller.http.application):
        answer = caller.http.open(
            path, method=method, environ_overrides={"REMOTE_ADDR": peer}
        )
        assert answer.status_code == 403, path


@pytest.mark.parametrize("name", FORWARDING)
def test_a_proxy_is_refused(caller: SimulatorClient, name: str) -> None:
    answer = caller.http.get("/control/state", headers={name: "127.0.0.1"})

    assert answer.status_code == 403


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", None])
def test_another_website_changes_nothing(
    caller: SimulatorClient,
    athlete: Athlete,
    world: World,
    headers: dict[str, str],
    content_type: str | None,
) -> None:
    caller.link(7)
    before, codes = caller.http.get("/control/state").json, len(world.codes)

    answers = {
        caller.http.open(
            path, method=method, headers=headers, data="{}", content_type=content_type
        ).status_code
        for method, path in list_requests(caller.http.application, only_changes=True)
    }

    assert answers == {403}
    assert caller.http.get("/control/state").json == before
    assert len(world.codes) == codes


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Referer": "http://localhost/"},
        {},
    ],
)
def test_our_own_page_and_programs_change_things(
    caller: SimulatorClient, athlete: Athlete, world: World, headers: dict[str, str]
) -> None:
    caller.link(7)

    chosen = caller.http.post(
        "/oauth/authorize",
        query_string=CONSENT,
        data={"athlete": "7", "decision": "authorize"},
        headers=headers,
    )
    caller.http.post("/page/athletes/7/deauthorise", headers=headers)

    assert chosen.status_code == 302
    assert len(world.grants) == 0


def test_a_page_under_a_port_is_its_own_origin(caller: SimulatorClient) -> None:
    headers = {"Host": "127.0.0.1:8400", "Origin": "http://127.0.0.1:8400"}
    other_port = headers | {"Origin": "http://127.0.0.1:8000"}

    assert caller.http.post("/page/faults", headers=headers).status_code == 303
    assert caller.http.post("/page/faults", headers=other_port).status_code == 403
