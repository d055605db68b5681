"""The controls: what can be done to the world, and how a mistake is answered."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.simulator.activities import find_daytime_zone
from sync.simulator.records import Athlete
from sync.simulator.world import World
from tests.support.clock import ManualClock
from tests.sync.simulator.api_client import SimulatorClient


def test_a_run_can_be_finished_to_measure(
    caller: SimulatorClient, athlete: Athlete, world: World, clock: ManualClock
) -> None:
    run = caller.finish_run(
        7,
        distance_m=8000,
        moving_s=2700,
        ended_minutes_ago=10,
        race=True,
        zone="Asia/Tokyo",
    )

    activity = world.get_activity(run)
    assert activity is not None
    assert activity.start_s + 2700 + 600 == int(clock().timestamp())
    assert (activity.distance_m, activity.workout_type) == (8000.0, 1)
    assert activity.zone == "Asia/Tokyo"


@pytest.mark.parametrize("hour", range(24))
def test_it_is_always_late_morning_somewhere(hour: int) -> None:
    moment = datetime(2026, 5, 1, hour, 20, tzinfo=UTC)

    zone = find_daytime_zone(int(moment.timestamp()))

    assert moment.astimezone(ZoneInfo(zone)).hour in {10, 11}


@pytest.mark.parametrize(
    ("path", "wish", "words"),
    [
        ("/control/athletes/7/runs", {"distanz": 1}, "did you mean 'distance_m'?"),
        ("/control/athletes/7/runs", {"distance_m": "far"}, "must be a number"),
        ("/control/athletes/7/runs", {"distance_m": -1}, "must be a number from 0"),
        ("/control/athletes/7/runs", {"moving_s": 1.5}, "must be a whole number"),
        ("/control/athletes/7/runs", {"zone": "Europe/Berlinn"}, "not a time zone"),
        ("/control/athletes/7/runs", {"trainer": "perhaps"}, "true or false"),
        ("/control/athletes/7/runs", {"visibility": "all"}, "must be one of"),
        ("/control/athletes/7/grant", {"scope": "all"}, "must be some of"),
        ("/control/faults", {"kind": "fire"}, "must be one of"),
        ("/control/events", {"drop": 2}, "must be a number from 0 to 1"),
        ("/control/limits", {"quarter_s": 0}, "must be a number from 1"),
        ("/control/app", {"client_secret": "mine"}, "Unknown field"),
        ("/control/limits", [1], "must be a JSON object"),
    ],
)
def test_a_mistake_is_explained(
    caller: SimulatorClient, athlete: Athlete, path: str, wish: Any, words: str
) -> None:
    answer = caller.http.post(path, json=wish)

    assert answer.status_code == 400
    assert answer.json is not None
    assert words in answer.json["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/control/athletes/99/runs"),
        ("POST", "/control/athletes/99/deauthorise"),
        ("PATCH", "/control/activities/99"),
        ("DELETE", "/control/activities/99"),
        ("GET", "/control/weather"),
    ],
)
def test_what_is_not_there_is_a_404(
    caller: SimulatorClient, method: str, path: str
) -> None:
    answer = caller.http.open(path, method=method)

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"]


def test_limits_delivery_and_app_can_be_adjusted(caller: SimulatorClient) -> None:
    caller.http.post("/control/limits", json={"read_quarter": 7})
    caller.http.post("/control/events", json={"retry_gap_s": 0.1})
    caller.http.post("/control/app", json={"athlete_limit": 3, "rotate": "always"})

    state = caller.http.get("/control/state").json

    assert state is not None
    assert state["limits"]["read_quarter"] == 7
    assert state["delivery"]["retry_gap_s"] == 0.1
    assert (state["app"]["athlete_limit"], state["app"]["rotate"]) == (3, "always")
    assert "client_secret" not in state["app"]


def test_the_state_lists_activities_as_strava_would(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    token = caller.link(7)["access_token"]
    caller.finish_run(7)
    caller.finish_run(7, visibility="only_me")

    state = caller.http.get("/control/state").json

    assert state is not None
    assert len(state["activities"]) == 2
    assert state["activities"][:1] == caller.get("/athlete/activities", token).json
    assert state["grants"] == {"7": "read,activity:read"}


def test_calls_are_counted_until_the_counters_are_reset(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    token = caller.link(7)["access_token"]
    caller.get("/athlete", token)
    before = caller.http.get("/control/state").json

    caller.http.post("/control/reset-counters")

    after = caller.http.get("/control/state").json
    assert before is not None
    assert after is not None
    assert before["counters"] == {"requests token": 1, "requests athlete": 1}
    assert after["counters"] == {}


def test_many_athletes_can_be_grown(caller: SimulatorClient, world: World) -> None:
    answer = caller.http.post(
        "/control/grow", json={"athletes": 3, "runs_each": 40, "seed": 5}
    )

    assert answer.json is not None
    grown = answer.json["athletes"]
    assert [len(world.list_activities(athlete)) for athlete in grown] == [40, 40, 40]
