"""The control page: everything by hand, with no script at all."""

import pytest

from sync.simulator.records import Activity, Athlete, SimulatedSubscription
from sync.simulator.world import World
from tests.sync.simulator.api_client import SimulatorClient


def submit_form(caller: SimulatorClient, path: str, **form: str) -> int:
    return caller.http.post(f"/page/{path}", data=form).status_code


def get_only_activity(world: World) -> Activity:
    (activity,) = world.iter_activities()
    return activity


def test_the_page_shows_athletes_runs_and_the_way_back(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    caller.finish_run(7, distance_m=8250, moving_s=2705, trainer=True)
    hook = "http://localhost:8000/hooks/strava/secret"
    with world.transaction():
        world.subscriptions.put(
            SimulatedSubscription(id=1, callback_url=hook, created_s=0)
        )

    page = caller.http.get("/")

    assert "Ada" in page.text
    assert "8.25 km · 45:05" in page.text
    assert "treadmill" in page.text
    assert '<a href="http://localhost:8000/">' in page.text
    assert "secret" not in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_a_run_is_finished_in_kilometres_and_minutes(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    form = {"kilometres": "7.5", "minutes": "40", "ended": "20", "zone": "own"}

    status = submit_form(caller, "athletes/7/runs", **form, trainer="on")

    activity = get_only_activity(world)
    assert status == 303
    assert (activity.distance_m, activity.moving_s) == (7500.0, 2400)
    assert (activity.zone, activity.trainer) == ("Europe/Berlin", True)


def test_a_run_can_be_renamed_cropped_hidden_shown_retyped_and_deleted(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    run = f"activities/{caller.finish_run(7)}"

    submit_form(caller, f"{run}/rename", name="Tidy")
    submit_form(caller, f"{run}/crop")
    submit_form(caller, f"{run}/retype", sport_type="Ride")
    submit_form(caller, f"{run}/hide")
    edited = get_only_activity(world)
    submit_form(caller, f"{run}/show")
    shown = get_only_activity(world)
    submit_form(caller, f"{run}/delete")

    assert (edited.name, edited.distance_m, edited.sport_type) == ("Tidy", 4500, "Ride")
    assert (edited.is_private, shown.is_private) == (True, False)
    assert list(world.iter_activities()) == []


def test_an_athlete_can_deauthorise(
    caller: SimulatorClient, athlete: Athlete, world: World
) -> None:
    caller.link(7)

    submit_form(caller, "athletes/7/deauthorise")

    assert len(world.grants) == 0


def test_faults_are_made_and_healed(caller: SimulatorClient, world: World) -> None:
    submit_form(caller, "faults", kind="slow", seconds="1.5", on="list", times="")
    (fault,) = world.faults
    submit_form(caller, "faults", kind="status", heal="yes")

    assert (fault.kind, fault.seconds, fault.on, fault.times) == (
        "slow",
        1.5,
        "list",
        None,
    )
    assert len(world.faults) == 0


def test_settings_are_saved_together(caller: SimulatorClient, world: World) -> None:
    status = submit_form(
        caller, "settings", read_day="50", drop="0.2", page_at_most="3", inactive="on"
    )

    assert status == 303
    assert world.limits.read_day == 50
    assert world.delivery.drop == 0.2
    assert (world.app.page_at_most, world.app.inactive) == (3, True)


def test_a_run_has_a_page_that_the_app_can_link_to(
    caller: SimulatorClient, athlete: Athlete
) -> None:
    run = caller.finish_run(7, distance_m=8250)

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
    caller: SimulatorClient,
    athlete: Athlete,
    path: str,
    form: dict[str, str],
    status: int,
) -> None:
    answer = caller.http.post(f"/page/{path}", data=form)

    assert answer.status_code == status
    assert f"<h1>{status}</h1>" in answer.text
