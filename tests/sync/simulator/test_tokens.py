"""Codes are good once, refresh tokens rotate, and a revoked grant is gone."""

from base64 import b64encode
from dataclasses import replace

import pytest

from sync.simulator.records import Athlete
from sync.simulator.world import World
from tests.support.clock import ManualClock
from tests.sync.simulator.api_client import SimulatorClient, read_error

REFRESH_INVALID = (400, "RefreshToken", "refresh_token", "invalid")


def test_a_code_becomes_a_pair_for_six_hours(
    caller: SimulatorClient, athlete: Athlete, clock: ManualClock
) -> None:
    pair = caller.link(7)

    assert pair["token_type"] == "Bearer"
    assert pair["expires_in"] == 21600
    assert pair["expires_at"] == int(clock().timestamp()) + 21600
    assert pair["athlete"]["id"] == 7
    assert pair["scope"] == "read activity:read"


def test_a_code_is_good_once(caller: SimulatorClient, athlete: Athlete) -> None:
    code = caller.code(7)
    caller.exchange(code)

    assert read_error(caller.exchange(code)) == (
        400,
        "AuthorizationCode",
        "",
        "expired",
    )


def test_a_code_dies_after_ten_minutes(
    caller: SimulatorClient, athlete: Athlete, clock: ManualClock
) -> None:
    code = caller.code(7)
    clock.advance(minutes=10)

    assert read_error(caller.exchange(code)) == (
        400,
        "AuthorizationCode",
        "",
        "expired",
    )


def test_an_invented_code_is_refused(caller: SimulatorClient) -> None:
    assert read_error(caller.exchange("abc")) == (
        400,
        "RequestToken",
        "code",
        "invalid",
    )


@pytest.mark.parametrize("field", ["client_id", "client_secret"])
def test_a_wrong_client_is_refused(
    caller: SimulatorClient, athlete: Athlete, field: str
) -> None:
    answer = caller.exchange(caller.code(7), **{field: "9"})

    assert read_error(answer) == (400, "Application", field, "invalid")


def test_the_current_pair_is_handed_back_while_an_hour_is_left(
    caller: SimulatorClient, athlete: Athlete, clock: ManualClock
) -> None:
    pair = caller.link(7)
    clock.advance(hours=4)

    again = caller.refresh(pair["refresh_token"]).json

    assert again is not None
    assert again["access_token"] == pair["access_token"]
    assert again["expires_in"] == 7200
    assert "athlete" not in again


def test_a_new_pair_ends_the_old_refresh_token_at_once(
    caller: SimulatorClient, athlete: Athlete, clock: ManualClock
) -> None:
    pair = caller.link(7)
    clock.advance(hours=5)

    newer = caller.refresh(pair["refresh_token"]).json

    assert newer is not None
    assert newer["refresh_token"] != pair["refresh_token"]
    assert read_error(caller.refresh(pair["refresh_token"])) == REFRESH_INVALID
    assert caller.get("/athlete", newer["access_token"]).status_code == 200


def test_an_older_access_token_lives_out_its_hours(
    caller: SimulatorClient, athlete: Athlete, clock: ManualClock
) -> None:
    pair = caller.link(7)
    clock.advance(hours=5, minutes=30)
    caller.refresh(pair["refresh_token"])

    before = caller.get("/athlete", pair["access_token"])
    clock.advance(minutes=30)
    after = caller.get("/athlete", pair["access_token"])

    assert (before.status_code, after.status_code) == (200, 401)


def test_rotation_can_be_had_at_every_refresh(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    world.put_singleton(replace(world.app, rotate="always"))
    pair = caller.link(7)

    newer = caller.refresh(pair["refresh_token"]).json

    assert newer is not None
    assert newer["refresh_token"] != pair["refresh_token"]


@pytest.mark.parametrize("half", ["access_token", "refresh_token"])
def test_revoking_either_half_ends_both(
    caller: SimulatorClient, athlete: Athlete, half: str
) -> None:
    pair = caller.link(7)

    answers = [_revoke(caller, pair[half]) for _ in range(2)]

    assert answers == [200, 200]
    assert caller.get("/athlete", pair["access_token"]).status_code == 401
    assert read_error(caller.refresh(pair["refresh_token"])) == REFRESH_INVALID


def test_revoking_wants_the_apps_name_and_secret(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    pair = caller.link(7)

    assert _revoke(caller, pair["access_token"], knows_secret=False) == 401
    assert caller.get("/athlete", pair["access_token"]).status_code == 200


def test_a_linked_athlete_may_link_again(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    first = caller.link(7, "read")

    second = caller.link(7)

    assert read_error(caller.refresh(first["refresh_token"])) == REFRESH_INVALID
    assert caller.get("/athlete/activities", second["access_token"]).json == []


def test_the_older_deauthorisation_still_works(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    token = caller.link(7)["access_token"]

    answer = caller.http.post("/oauth/deauthorize", data={"access_token": token})

    assert answer.json == {"access_token": token}
    assert caller.get("/athlete", token).status_code == 401


def test_an_unknown_grant_type_is_refused(caller: SimulatorClient) -> None:
    answer = caller.token(grant_type="password")

    assert read_error(answer) == (400, "Application", "grant_type", "invalid")


def _revoke(caller: SimulatorClient, token: str, *, knows_secret: bool = True) -> int:
    secret = "simulated" if knows_secret else "guessed"
    basic = b64encode(f"1:{secret}".encode()).decode()
    return caller.http.post(
        "/oauth/revoke",
        data={"token": token},
        headers={"Authorization": f"Basic {basic}"},
    ).status_code
