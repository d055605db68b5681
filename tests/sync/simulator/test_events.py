"""Which events the app is told, in which words, and how hard that is tried."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sync.simulator.events import Postman
from sync.simulator.records import Athlete, Delivery, Subscription
from sync.simulator.world import World
from tests.support.clock import HandClock
from tests.support.servers import PATIENCE_S
from tests.sync.simulator.api_client import SCOPE_ALL, Caller
from tests.sync.simulator.callback_server import Callback, listening


@pytest.fixture
def callback(world: World) -> Iterator[Callback]:
    with listening() as callback:
        subscription = Subscription(id=120475, callback_url=callback.url, created_s=0)
        with world.change():
            world.subscriptions.put(subscription)
        yield callback


@pytest.fixture
def postman(world: World, callback: Callback) -> Postman:
    return Postman(world, deadline_s=PATIENCE_S)


@pytest.fixture
def linked(caller: Caller, athlete: Athlete) -> None:
    caller.link(7)


def edit(caller: Caller, activity: int, **change: Any) -> None:
    answer = caller.http.patch(f"/control/activities/{activity}", json=change)
    assert answer.status_code == 200, answer.json


def said(callback: Callback) -> list[tuple[str, dict[str, str]]]:
    return [(event["aspect_type"], event["updates"]) for event in callback.events]


@pytest.mark.usefixtures("linked")
def test_a_finished_run_is_announced(
    caller: Caller, callback: Callback, postman: Postman, clock: HandClock
) -> None:
    run = caller.finish(7)

    postman.deliver_due()

    assert callback.events == [
        {
            "aspect_type": "create",
            "object_id": run,
            "object_type": "activity",
            "owner_id": 7,
            "updates": {},
            "event_time": int(clock().timestamp()),
            "subscription_id": 120475,
        }
    ]


@pytest.mark.usefixtures("linked")
def test_edits_come_as_strings_and_crops_not_at_all(
    caller: Caller, callback: Callback, postman: Postman
) -> None:
    run = caller.finish(7, silent=True)

    edit(caller, run, distance_m=4000, moving_s=1500)
    edit(caller, run, name="Messy")
    edit(caller, run, name="Tidy", sport_type="Ride")
    caller.http.delete(f"/control/activities/{run}")
    postman.deliver_due()

    assert said(callback) == [
        ("update", {"title": "Messy"}),
        ("update", {"title": "Tidy", "type": "Ride"}),
        ("delete", {}),
    ]


@pytest.mark.usefixtures("linked")
def test_hiding_looks_like_deleting_without_the_wider_permission(
    caller: Caller, callback: Callback, postman: Postman
) -> None:
    run = caller.finish(7, silent=True)

    edit(caller, run, visibility="only_me")
    edit(caller, run, name="Nobody hears of this")
    edit(caller, run, visibility="followers_only")
    edit(caller, run, visibility="everyone")
    postman.deliver_due()

    assert said(callback) == [("delete", {}), ("create", {})]


def test_hiding_is_said_plainly_with_the_wider_permission(
    caller: Caller, athlete: Athlete, callback: Callback, postman: Postman
) -> None:
    caller.link(7, SCOPE_ALL)
    run = caller.finish(7, silent=True)

    edit(caller, run, visibility="only_me")
    edit(caller, run, visibility="everyone")
    postman.deliver_due()

    assert said(callback) == [
        ("update", {"private": "true"}),
        ("update", {"private": "false"}),
    ]


def test_without_permission_there_are_no_events(
    caller: Caller, athlete: Athlete, callback: Callback, postman: Postman
) -> None:
    caller.finish(7)
    caller.link(7, "read")
    caller.finish(7)

    postman.deliver_due()

    assert callback.events == []


@pytest.mark.usefixtures("linked")
def test_deauthorising_is_an_update_of_the_athlete(
    caller: Caller, callback: Callback, postman: Postman
) -> None:
    caller.http.post("/control/athletes/7/deauthorise")

    postman.deliver_due()

    event = callback.events[0]
    assert (event["object_type"], event["object_id"]) == ("athlete", 7)
    assert said(callback) == [("update", {"authorized": "false"})]


@pytest.mark.usefixtures("linked")
def test_an_event_is_tried_three_times_and_then_lost(
    caller: Caller, callback: Callback, postman: Postman, clock: HandClock
) -> None:
    callback.statuses = [500, 302, 204]
    caller.finish(7)

    attempts = []
    for _ in range(4):
        attempts.append(postman.deliver_due())
        clock.forward(minutes=2)

    assert attempts == [1, 1, 1, 0]
    assert len(callback.events) == 3


@pytest.mark.usefixtures("linked")
def test_an_answer_after_the_deadline_is_none(
    caller: Caller,
    callback: Callback,
    world: World,
) -> None:
    callback.pause_s = 0.2
    caller.finish(7)

    Postman(world, deadline_s=0.02).deliver_due()

    event = next(iter(world.events))
    assert (event.state, event.answer) == ("waiting", "no answer in time")


@pytest.mark.usefixtures("linked")
def test_events_can_be_lost_doubled_and_late(
    caller: Caller,
    callback: Callback,
    postman: Postman,
    world: World,
    clock: HandClock,
) -> None:
    world.set(Delivery(drop=1))
    caller.finish(7)
    world.set(Delivery(double=1, delay_s=60))
    doubled = caller.finish(7)

    at_once = postman.deliver_due()
    clock.forward(minutes=1)
    postman.deliver_due()

    assert at_once == 0
    assert [event["object_id"] for event in callback.events] == [doubled, doubled]


@pytest.mark.usefixtures("linked")
def test_events_can_overtake_each_other(
    caller: Caller,
    callback: Callback,
    postman: Postman,
    world: World,
    clock: HandClock,
) -> None:
    world.set(Delivery(reorder=1))
    first = caller.finish(7)
    world.set(Delivery())
    second = caller.finish(7)

    postman.deliver_due()
    clock.forward(seconds=3)
    postman.deliver_due()

    assert [event["object_id"] for event in callback.events] == [second, first]


@pytest.mark.usefixtures("linked")
def test_events_are_signed_when_there_is_a_secret(
    caller: Caller, callback: Callback, postman: Postman, world: World
) -> None:
    world.set(replace(world.app, signing_secret="quiet"))
    caller.finish(7)

    postman.deliver_due()

    signature = callback.signatures[0]
    assert signature is not None
    at, signed = signature.removeprefix("t=").split(",v1=")
    message = f"{at}.".encode() + callback.raw[0]
    assert signed == hmac.new(b"quiet", message, hashlib.sha256).hexdigest()


@pytest.mark.usefixtures("linked")
def test_events_of_an_ended_subscription_go_nowhere(
    caller: Caller, callback: Callback, postman: Postman, world: World
) -> None:
    caller.finish(7)
    with world.change():
        world.subscriptions.remove(120475)

    postman.deliver_due()

    assert callback.events == []
    assert [event.state for event in world.events] == ["dropped"]
