"""The athlete, the list and one activity, with Strava's orders and refusals."""

from dataclasses import replace
from typing import Any

import pytest

from sync.simulator.records import Athlete
from sync.simulator.world import World
from tests.support.clock import ManualClock
from tests.sync.simulator.api_client import SCOPE_ALL, SimulatorClient, read_error

NOT_FOUND = (404, "Activity", "", "not found")
TOKEN_INVALID = (401, "Athlete", "access_token", "invalid")


@pytest.fixture
def token(caller: SimulatorClient, athlete: Athlete) -> str:
    return str(caller.link(7)["access_token"])


def add_daily_runs(caller: SimulatorClient, runs: int, **fields: Any) -> list[int]:
    """Finish one run for each of the last days, and name them newest first."""
    return [
        caller.finish_run(7, ended_minutes_ago=1440 * day, **fields)
        for day in range(1, runs + 1)
    ]


def test_the_athlete_has_no_address(caller: SimulatorClient, token: str) -> None:
    athlete = caller.get("/athlete", token).json

    assert athlete is not None
    assert (athlete["id"], athlete["firstname"]) == (7, "Ada")
    assert "email" not in athlete
    assert "measurement_preference" not in athlete


def test_the_whole_profile_needs_its_own_permission(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    token = caller.link(7, "read,profile:read_all")["access_token"]

    profile = caller.get("/athlete", token).json

    assert profile is not None
    assert profile["measurement_preference"] == "meters"


def test_the_list_is_newest_first(caller: SimulatorClient, token: str) -> None:
    newest_first = add_daily_runs(caller, 3)

    assert caller.list_ids(token) == newest_first


def test_after_alone_turns_the_order(
    caller: SimulatorClient, token: str, clock: ManualClock
) -> None:
    newest_first = add_daily_runs(caller, 3)
    now_s = int(clock().timestamp())

    assert caller.list_ids(token, after=1) == newest_first[::-1]
    assert caller.list_ids(token, after=1, before=now_s) == newest_first


def test_before_and_after_compare_starts(
    caller: SimulatorClient, token: str, world: World
) -> None:
    newest_first = add_daily_runs(caller, 3)
    middle = world.get_activity(newest_first[1])
    assert middle is not None

    assert caller.list_ids(token, before=middle.start_s) == newest_first[2:]
    assert caller.list_ids(token, after=middle.start_s) == newest_first[:1]


def test_after_must_not_lie_ahead(
    caller: SimulatorClient, token: str, clock: ManualClock
) -> None:
    later_s = int(clock().timestamp()) + 60

    answer = caller.get("/athlete/activities", token, after=later_s)

    assert read_error(answer) == (400, "Application", "after", "future")


def test_a_page_holds_thirty_unless_asked(caller: SimulatorClient, token: str) -> None:
    runs = add_daily_runs(caller, 33)

    assert caller.list_ids(token) == runs[:30]
    assert caller.list_ids(token, page=2) == runs[30:]
    assert caller.list_ids(token, page=3) == []


def test_a_page_holds_two_hundred_at_most(caller: SimulatorClient, token: str) -> None:
    answer = caller.get("/athlete/activities", token, per_page=201)

    assert read_error(answer) == (400, "Application", "per page", "limit exceeded")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": "0"}, "page"),
        ({"per_page": "0"}, "page"),
        ({"page": "one"}, "page"),
        ({"before": "yesterday"}, "before"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    caller: SimulatorClient, token: str, query: dict[str, str], field: str
) -> None:
    answer = caller.get("/athlete/activities", token, **query)

    assert read_error(answer) == (400, "Application", field, "invalid")


def test_pages_can_be_short_although_more_follow(
    caller: SimulatorClient, token: str, world: World
) -> None:
    runs = add_daily_runs(caller, 5)
    world.put_singleton(replace(world.app, page_at_most=2))

    pages = [caller.list_ids(token, per_page=200, page=page) for page in (1, 2, 3, 4)]

    assert pages == [runs[:2], runs[2:4], runs[4:], []]


def test_hidden_runs_need_the_wider_permission(
    caller: SimulatorClient, token: str
) -> None:
    hidden = caller.finish_run(7, visibility="only_me")
    wider = caller.link(7, SCOPE_ALL)["access_token"]

    assert caller.list_ids(token) == []
    assert read_error(caller.get(f"/activities/{hidden}", token)) == NOT_FOUND
    assert caller.list_ids(wider) == [hidden]
    assert caller.get(f"/activities/{hidden}", wider).status_code == 200


def test_unknown_and_foreign_runs_look_the_same(
    caller: SimulatorClient, token: str, world: World, athlete: Athlete
) -> None:
    with world.transaction():
        world.athletes.put(replace(athlete, id=8))
    foreign = caller.finish_run(8)

    for number in (foreign, 1, "abc", "9" * 5000):
        assert read_error(caller.get(f"/activities/{number}", token)) == NOT_FOUND


def test_a_missing_permission_is_a_401(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    token = caller.link(7, "read")["access_token"]

    answer = caller.get("/athlete/activities", token)

    assert read_error(answer) == (
        401,
        "AccessToken",
        "activity:read_permission",
        "missing",
    )


def test_only_the_header_may_hold_the_token(
    caller: SimulatorClient, token: str
) -> None:
    in_the_query = caller.http.get(f"/api/v3/athlete?access_token={token}")
    invented = caller.get("/athlete", "abc")

    assert read_error(in_the_query) == read_error(invented) == TOKEN_INVALID


def test_an_inactive_app_is_refused_everywhere(
    caller: SimulatorClient, token: str, world: World
) -> None:
    world.put_singleton(replace(world.app, inactive=True))

    answers = [
        caller.get("/athlete", token),
        caller.refresh("abc"),
        caller.http.get("/api/v3/push_subscriptions"),
    ]

    for answer in answers:
        assert read_error(answer) == (403, "Application", "Status", "Inactive")


def test_an_unknown_address_is_answered_in_json(caller: SimulatorClient) -> None:
    answer = caller.http.get("/api/v3/clubs")

    assert answer.status_code == 404
    assert answer.json == {"message": "Not Found", "errors": []}
