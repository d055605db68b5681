"""How we speak to Strava: patiently, to one address, and without telling secrets."""

import json
import logging
from collections.abc import Generator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sync.errors import MoodmilesError, StravaUnavailable
from sync.settings import Settings
from sync.simulator.records import Fault
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava import Lane
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.strava.http import answered, session
from tests.support.clock import NOON
from tests.support.http_listener import Listener, listener
from tests.support.servers import free_port

SECRET = "very-secret"
TOKEN = "tok-en"


@pytest.fixture
def heard() -> Generator[Listener]:
    with listener() as heard:
        yield heard


def strava_at(site: str, api: str | None = None) -> HttpStrava:
    settings = Settings(
        strava_client_id=1,
        strava_client_secret=SECRET,
        strava_site_url=site,
        strava_api_url=api or f"{site}/api/v3",
    )
    return HttpStrava(settings, budget=Budget("", clock=lambda: NOON))


def page(strava: HttpStrava) -> int:
    return strava.page(TOKEN, lane=Lane.SWEEP).size


def test_the_token_travels_in_the_header_alone(heard: Listener) -> None:
    page(strava_at(heard.url))

    (asked,) = heard.asked
    assert asked.path == "/api/v3/athlete/activities?page=1&per_page=200"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


def test_an_address_without_a_prefix_serves_as_well(heard: Listener) -> None:
    page(strava_at("http://127.0.0.1:9", api=heard.url))

    assert urlsplit(heard.asked[0].path).path == "/athlete/activities"


def test_tokens_are_asked_for_at_the_site(heard: Listener) -> None:
    heard.body = json.dumps(
        {"access_token": "a", "refresh_token": "b", "expires_at": 1_800_000_000}
    )

    fresh = strava_at(heard.url, api="http://127.0.0.1:9").refresh("old")

    (asked,) = heard.asked
    assert (asked.method, asked.path) == ("POST", "/oauth/token")
    assert parse_qs(asked.body) == {
        "client_id": ["1"],
        "client_secret": [SECRET],
        "grant_type": ["refresh_token"],
        "refresh_token": ["old"],
    }
    assert (fresh.access, fresh.refresh) == ("a", "b")


def test_an_exchange_without_an_athlete_asks_who_it_was(heard: Listener) -> None:
    pair = {"access_token": "a", "refresh_token": "b", "expires_at": 1_800_000_000}
    heard.body = lambda path: json.dumps({"id": 7} if "athlete" in path else pair)

    grant = strava_at(heard.url).exchange("code")

    assert grant.athlete_id == 7
    assert [asked.path for asked in heard.asked] == ["/oauth/token", "/api/v3/athlete"]


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
def test_tokens_of_another_shape_are_no_tokens(heard: Listener, odd: object) -> None:
    heard.body = json.dumps(odd)

    with pytest.raises(StravaUnavailable):
        strava_at(heard.url).refresh("old")


def test_a_revocation_carries_our_name_and_the_token(heard: Listener) -> None:
    heard.body = ""

    strava_at(heard.url).revoke(TOKEN)

    (asked,) = heard.asked
    assert (asked.method, asked.path) == ("POST", "/oauth/revoke")
    assert asked.headers["Authorization"].startswith("Basic ")
    assert parse_qs(asked.body) == {"token": [TOKEN]}


def test_a_redirect_is_not_followed(heard: Listener) -> None:
    heard.status, heard.headers = 302, {"Location": f"{heard.url}/elsewhere"}

    with pytest.raises(StravaUnavailable):
        page(strava_at(heard.url))

    assert len(heard.asked) == 1


def test_one_runner_s_cookies_do_not_travel_with_the_next(heard: Listener) -> None:
    heard.headers = {"Set-Cookie": "_strava4_session=abc; Path=/"}
    strava = strava_at(heard.url)

    page(strava)
    page(strava)

    assert heard.asked[1].headers["Cookie"] is None


def test_a_netrc_does_not_replace_the_token(
    heard: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))

    page(strava_at(heard.url))

    assert heard.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_credentials_in_the_environment_change_nothing(
    heard: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STRAVA_CLIENT_ID", "5")
    monkeypatch.setenv("STRAVA_CLIENT_SECRET", "other")

    page(strava_at(heard.url))

    assert len(heard.asked) == 1
    assert caplog.records == []


def test_a_strava_that_takes_too_long_is_given_up() -> None:
    world = World()
    with world.change():
        world.faults.put(Fault(id=1, kind="slow", seconds=0.5))

    with (
        serve_in_thread(world) as site,
        session(read_s=0.1) as http,
        pytest.raises(StravaUnavailable, match="ReadTimeout"),
    ):
        answered(lambda: http.get(f"{site}/api/v3/athlete"))


def test_a_request_that_never_left_costs_nothing() -> None:
    strava = strava_at(f"http://127.0.0.1:{free_port()}")

    with pytest.raises(StravaUnavailable):
        page(strava)

    assert strava.budget.state().meters[0].used == 0


def test_a_secret_is_in_no_error_and_in_no_log(
    heard: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nobody = strava_at(f"http://127.0.0.1:{free_port()}")
    somebody = strava_at(heard.url)
    heard.status, heard.body = 400, f"<p>{SECRET} {TOKEN}</p>"
    texts = []

    for strava in (nobody, somebody):
        for asks in (
            strava.subscriptions,
            lambda strava=strava: strava.unsubscribe(1),
            lambda strava=strava: strava.subscribe("http://h/cb", "verify"),
            lambda strava=strava: strava.refresh(TOKEN),
            lambda strava=strava: strava.revoke(TOKEN),
            lambda strava=strava: strava.run(TOKEN, 1, lane=Lane.SWEEP),
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
