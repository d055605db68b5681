"""The request limits: wall-clock windows, two pairs of headers, refusals that count."""

from datetime import UTC, datetime

import pytest

from sync.simulator.records import Athlete, Limits
from sync.simulator.world import World
from tests.support.clock import ManualClock
from tests.sync.simulator.api_client import SimulatorClient, read_error

TOO_MANY = (429, "Application", "rate limit", "exceeded")


@pytest.fixture
def token(caller: SimulatorClient, athlete: Athlete) -> str:
    return str(caller.link(7)["access_token"])


def test_every_answer_names_the_limits_and_the_usage(
    caller: SimulatorClient, token: str
) -> None:
    caller.get("/athlete", token)

    headers = caller.get("/athlete/activities", token).headers

    assert headers["X-Ratelimit-Limit"] == "200,2000"
    assert headers["X-Readratelimit-Limit"] == "100,1000"
    assert headers["X-Ratelimit-Usage"] == headers["X-Readratelimit-Usage"] == "2,2"
    assert "Retry-After" not in headers


def test_the_read_limit_comes_first(
    caller: SimulatorClient, token: str, world: World
) -> None:
    world.put_singleton(Limits(quarter=5, read_quarter=2))

    answers = [caller.get("/athlete", token) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert read_error(answers[-1]) == TOO_MANY


def test_the_quarter_ends_on_the_wall_clock(
    caller: SimulatorClient, token: str, world: World, clock: ManualClock
) -> None:
    world.put_singleton(Limits(read_quarter=1))
    clock.at = datetime(2026, 5, 1, 12, 14, 50, tzinfo=UTC)
    caller.get("/athlete", token)
    refused = caller.get("/athlete", token)

    clock.at = datetime(2026, 5, 1, 12, 15, tzinfo=UTC)
    answer = caller.get("/athlete", token)

    assert refused.status_code == 429
    assert answer.status_code == 200
    assert answer.headers["X-Readratelimit-Usage"] == "1,3"


def test_refused_calls_use_up_the_day_which_ends_at_midnight_utc(
    caller: SimulatorClient, token: str, world: World, clock: ManualClock
) -> None:
    world.put_singleton(Limits(read_quarter=1, read_day=2))
    for _ in range(2):
        caller.get("/athlete", token)

    clock.advance(minutes=15)
    same_day = caller.get("/athlete", token)
    clock.at = datetime(2026, 5, 2, tzinfo=UTC)
    token = caller.link(7)["access_token"]
    next_day = caller.get("/athlete", token)

    assert (same_day.status_code, next_day.status_code) == (429, 200)


def test_tokens_are_not_counted(caller: SimulatorClient, token: str) -> None:
    answer = caller.refresh("abc")

    assert "X-Ratelimit-Usage" not in answer.headers
    assert caller.get("/athlete", token).headers["X-Ratelimit-Usage"] == "1,1"


def test_the_older_deauthorisation_is_counted(
    caller: SimulatorClient, token: str
) -> None:
    answer = caller.http.post("/oauth/deauthorize", data={"access_token": token})

    assert answer.headers["X-Ratelimit-Usage"] == "1,1"


def test_subscriptions_report_zero(caller: SimulatorClient) -> None:
    client = {"client_id": "1", "client_secret": "simulated"}

    answer = caller.http.get("/api/v3/push_subscriptions", query_string=client)

    assert answer.headers["X-Ratelimit-Usage"] == "0,0"


def test_windows_can_be_short(
    caller: SimulatorClient, token: str, world: World, clock: ManualClock
) -> None:
    world.put_singleton(Limits(read_quarter=1, quarter_s=2))
    caller.get("/athlete", token)

    clock.advance(seconds=2)

    assert caller.get("/athlete", token).status_code == 200
