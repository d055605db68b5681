"""The control page: everything by hand, with no script at all."""

import pytest

from sync.simulator.records import Activity, Athlete, Subscription
from sync.simulator.world import World
from tests.sync.simulator.api_client import Caller


def press(caller: Caller, path: str, **form: str) -> int:
    return caller.http.post(f"/page/{path}", data=form).status_code


def only_activity(world: World) -> Activity:
    (activity,) = world.activities()
    return activity


def test_the_page_shows_athletes_runs_and_the_way_back(
    caller: Caller, athlete: Athlete, world: World
) -> None:
    caller.finish(7, distance_m=8250, moving_s=2705, trainer=True)
    hook = "http://localhost:8000/hooks/strava/secret"
    with world.change():
        world.subscriptions.put(Subscription(id=1, callback_url=hook, created_s=0))

    page = caller.http.get("/")

    assert "Ada" in page.text
    assert "8.25 km · 45:05" in page.text
    assert "treadmill" in page.text
    assert '<a href="http://localhost:8000/">' in page.text
    assert "secret" not in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_a_run_is_finished_in_kilometres_and_minutes(
    caller: Caller, athlete: Athlete, world: World
) -> None:
    form = {"kilometres": "7.5", "minutes": "40", "ended": "20", "zone": "own"}

    status = press(caller, "athletes/7/runs", **form, trainer="on")

    activity = only_activity(world)
    assert status == 303
    assert (activity.distance_m, activity.moving_s) == (7500.0, 2400)
    assert (activity.zone, activity.trainer) == ("Europe/Berlin", True)


def test_a_run_can_be_renamed_cropped_hidden_shown_retyped_and_deleted(
    caller: Caller, athlete: Athlete, world: World
) -> None:
    run = f"activities/{caller.finish(7)}"

    press(caller, f"{run}/rename", name="Tidy")
    press(caller, f"{run}/crop")
    press(caller, f"{run}/retype", sport_type="Ride")
    press(caller, f"{run}/hide")
    edited = only_activity(world)
    press(caller, f"{run}/show")
    shown = only_activity(world)
    press(caller, f"{run}/delete")

    assert (edited.name, edited.distance_m, edited.sport_type) == ("Tidy", 4500, "Ride")
    assert (edited.is_private, shown.is_private) == (True, False)
    assert list(world.activities()) == []


def test_an_athlete_can_deauthorise(
    caller: Caller, athlete: Athlete, world: World
) -> None:
    caller.link(7)

    press(caller, "athletes/7/deauthorise")

    assert len(world.grants) == 0


def test_faults_are_made_and_healed(caller: Caller, world: World) -> None:
    press(caller, "faults", kind="slow", seconds="1.5", on="list", times="")
    (fault,) = world.faults
    press(caller, "faults", kind="status", heal="yes")

    assert (fault.kind, fault.seconds, fault.on, fault.times) == (
        "slow",
        1.5,
        "list",
        None,
    )
    assert len(world.faults) == 0


def test_settings_are_saved_together(caller: Caller, world: World) -> None:
    status = press(
        caller, "settings", read_day="50", drop="0.2", page_at_most="3", inactive="on"
    )

    assert status == 303
    assert world.limits.read_day == 50
    assert world.delivery.drop == 0.2
    assert (world.app.page_at_most, world.app.inactive) == (3, True)


def test_a_run_has_a_page_that_the_app_can_link_to(
    caller: Caller, athlete: Athlete
) -> None:
    run = caller.finish(7, distance_m=8250)

    page = caller.http.get(f"/activities/{run}")

    assert page.status_code == 200
    assert "8.25 km" in page.text


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("athletes/7/runs", {"kilometres": "far"}, 400),
        ("athletes/9/runs", {}, 404),
        ("activities/9/crop", {}, 404),
    ],
)
def test_a_mistake_gets_a_page(
    caller: Caller, athlete: Athlete, path: str, form: dict[str, str], status: int
) -> None:
    answer = caller.http.post(f"/page/{path}", data=form)

    assert answer.status_code == status
    assert f"<h1>{status}</h1>" in answer.text
