"""The athlete, the list and one activity, with Strava's orders and refusals."""

from dataclasses import replace
from typing import Any

import pytest

from sync.simulator.records import Athlete
from sync.simulator.world import World
from tests.support.clock import HandClock
from tests.sync.simulator.api_client import SCOPE_ALL, Caller, error

NOT_FOUND = (404, "Activity", "", "not found")
TOKEN_INVALID = (401, "Athlete", "access_token", "invalid")


@pytest.fixture
def token(caller: Caller, athlete: Athlete) -> str:
    return str(caller.link(7)["access_token"])


def a_day_each(caller: Caller, runs: int, **wishes: Any) -> list[int]:
    """Finish one run for each of the last days, and name them newest first."""
    return [
        caller.finish(7, ended_minutes_ago=1440 * day, **wishes)
        for day in range(1, runs + 1)
    ]


def test_the_athlete_has_no_address(caller: Caller, token: str) -> None:
    athlete = caller.get("/athlete", token).json

    assert athlete is not None
    assert (athlete["id"], athlete["firstname"]) == (7, "Ada")
    assert "email" not in athlete
    assert "measurement_preference" not in athlete


def test_the_whole_profile_needs_its_own_permission(
    caller: Caller, athlete: Athlete
) -> None:
    token = caller.link(7, "read,profile:read_all")["access_token"]

    profile = caller.get("/athlete", token).json

    assert profile is not None
    assert profile["measurement_preference"] == "meters"


def test_the_list_is_newest_first(caller: Caller, token: str) -> None:
    newest_first = a_day_each(caller, 3)

    assert caller.ids(token) == newest_first


def test_after_alone_turns_the_order(
    caller: Caller, token: str, clock: HandClock
) -> None:
    newest_first = a_day_each(caller, 3)
    now_s = int(clock().timestamp())

    assert caller.ids(token, after=1) == newest_first[::-1]
    assert caller.ids(token, after=1, before=now_s) == newest_first


def test_before_and_after_compare_starts(
    caller: Caller, token: str, world: World
) -> None:
    newest_first = a_day_each(caller, 3)
    middle = world.activity(newest_first[1])
    assert middle is not None

    assert caller.ids(token, before=middle.start_s) == newest_first[2:]
    assert caller.ids(token, after=middle.start_s) == newest_first[:1]


def test_after_must_not_lie_ahead(caller: Caller, token: str, clock: HandClock) -> None:
    later_s = int(clock().timestamp()) + 60

    answer = caller.get("/athlete/activities", token, after=later_s)

    assert error(answer) == (400, "Application", "after", "future")


def test_a_page_holds_thirty_unless_asked(caller: Caller, token: str) -> None:
    runs = a_day_each(caller, 33)

    assert caller.ids(token) == runs[:30]
    assert caller.ids(token, page=2) == runs[30:]
    assert caller.ids(token, page=3) == []


def test_a_page_holds_two_hundred_at_most(caller: Caller, token: str) -> None:
    answer = caller.get("/athlete/activities", token, per_page=201)

    assert error(answer) == (400, "Application", "per page", "limit exceeded")


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
    caller: Caller, token: str, query: dict[str, str], field: str
) -> None:
    answer = caller.get("/athlete/activities", token, **query)

    assert error(answer) == (400, "Application", field, "invalid")


def test_pages_can_be_short_although_more_follow(
    caller: Caller, token: str, world: World
) -> None:
    runs = a_day_each(caller, 5)
    world.set(replace(world.app, page_at_most=2))

    pages = [caller.ids(token, per_page=200, page=page) for page in (1, 2, 3, 4)]

    assert pages == [runs[:2], runs[2:4], runs[4:], []]


def test_hidden_runs_need_the_wider_permission(caller: Caller, token: str) -> None:
    hidden = caller.finish(7, visibility="only_me")
    wider = caller.link(7, SCOPE_ALL)["access_token"]

    assert caller.ids(token) == []
    assert error(caller.get(f"/activities/{hidden}", token)) == NOT_FOUND
    assert caller.ids(wider) == [hidden]
    assert caller.get(f"/activities/{hidden}", wider).status_code == 200


def test_unknown_and_foreign_runs_look_the_same(
    caller: Caller, token: str, world: World, athlete: Athlete
) -> None:
    with world.change():
        world.athletes.put(replace(athlete, id=8))
    foreign = caller.finish(8)

    for number in (foreign, 1, "abc", "9" * 5000):
        assert error(caller.get(f"/activities/{number}", token)) == NOT_FOUND


def test_a_missing_permission_is_a_401(caller: Caller, athlete: Athlete) -> None:
    token = caller.link(7, "read")["access_token"]

    answer = caller.get("/athlete/activities", token)

    assert error(answer) == (
        401,
        "AccessToken",
        "activity:read_permission",
        "missing",
    )


def test_only_the_header_may_hold_the_token(caller: Caller, token: str) -> None:
    in_the_query = caller.http.get(f"/api/v3/athlete?access_token={token}")
    invented = caller.get("/athlete", "abc")

    assert error(in_the_query) == error(invented) == TOKEN_INVALID


def test_an_inactive_app_is_refused_everywhere(
    caller: Caller, token: str, world: World
) -> None:
    world.set(replace(world.app, inactive=True))

    answers = [
        caller.get("/athlete", token),
        caller.refresh("abc"),
        caller.http.get("/api/v3/push_subscriptions"),
    ]

    for answer in answers:
        assert error(answer) == (403, "Application", "Status", "Inactive")


def test_an_unknown_address_is_answered_in_json(caller: Caller) -> None:
    answer = caller.http.get("/api/v3/clubs")

    assert answer.status_code == 404
    assert answer.json == {"message": "Not Found", "errors": []}
