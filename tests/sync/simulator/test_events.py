"""Which events the app is told, in which words, and how hard that is tried."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sync.simulator.events import EventSender
from sync.simulator.records import Athlete, DeliverySettings, SimulatedSubscription
from sync.simulator.world import World
from tests.support.clock import ManualClock
from tests.support.servers import TIMEOUT_S
from tests.sync.simulator.api_client import SCOPE_ALL, SimulatorClient
from tests.sync.simulator.callback_server import CallbackServer, run_callback_server


@pytest.fixture
def callback(world: World) -> Iterator[CallbackServer]:
    with run_callback_server() as callback:
        subscription = SimulatedSubscription(
            id=120475, callback_url=callback.url, created_s=0
        )
        with world.transaction():
            world.subscriptions.put(subscription)
        yield callback


@pytest.fixture
def postman(world: World, callback: CallbackServer) -> EventSender:
    return EventSender(world, deadline_s=TIMEOUT_S)


@pytest.fixture
def linked_athlete(caller: SimulatorClient, athlete: Athlete) -> None:
    caller.link(7)


def edit_activity(caller: SimulatorClient, activity: int, **change: Any) -> None:
    answer = caller.http.patch(f"/control/activities/{activity}", json=change)
    assert answer.status_code == 200, answer.json


def list_events(callback: CallbackServer) -> list[tuple[str, dict[str, str]]]:
    return [(event["aspect_type"], event["updates"]) for event in callback.events]


@pytest.mark.usefixtures("linked_athlete")
def test_a_finished_run_is_announced(
    caller: SimulatorClient,
    callback: CallbackServer,
    postman: EventSender,
    clock: ManualClock,
) -> None:
    run = caller.finish_run(7)

    postman.deliver_due_events()

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


@pytest.mark.usefixtures("linked_athlete")
def test_edits_come_as_strings_and_crops_not_at_all(
    caller: SimulatorClient, callback: CallbackServer, postman: EventSender
) -> None:
    run = caller.finish_run(7, silent=True)

    edit_activity(caller, run, distance_m=4000, moving_s=1500)
    edit_activity(caller, run, name="Messy")
    edit_activity(caller, run, name="Tidy", sport_type="Ride")
    caller.http.delete(f"/control/activities/{run}")
    postman.deliver_due_events()

    assert list_events(callback) == [
        ("update", {"title": "Messy"}),
        ("update", {"title": "Tidy", "type": "Ride"}),
        ("delete", {}),
    ]


@pytest.mark.usefixtures("linked_athlete")
def test_hiding_looks_like_deleting_without_the_wider_permission(
    caller: SimulatorClient, callback: CallbackServer, postman: EventSender
) -> None:
    run = caller.finish_run(7, silent=True)

    edit_activity(caller, run, visibility="only_me")
    edit_activity(caller, run, name="Nobody hears of this")
    edit_activity(caller, run, visibility="followers_only")
    edit_activity(caller, run, visibility="everyone")
    postman.deliver_due_events()

    assert list_events(callback) == [("delete", {}), ("create", {})]


def test_hiding_is_said_plainly_with_the_wider_permission(
    caller: SimulatorClient,
    athlete: Athlete,
    callback: CallbackServer,
    postman: EventSender,
) -> None:
    caller.link(7, SCOPE_ALL)
    run = caller.finish_run(7, silent=True)

    edit_activity(caller, run, visibility="only_me")
    edit_activity(caller, run, visibility="everyone")
    postman.deliver_due_events()

    assert list_events(callback) == [
        ("update", {"private": "true"}),
        ("update", {"private": "false"}),
    ]


def test_without_permission_there_are_no_events(
    caller: SimulatorClient,
    athlete: Athlete,
    callback: CallbackServer,
    postman: EventSender,
) -> None:
    caller.finish_run(7)
    caller.link(7, "read")
    caller.finish_run(7)

    postman.deliver_due_events()

    assert callback.events == []


@pytest.mark.usefixtures("linked_athlete")
def test_deauthorising_is_an_update_of_the_athlete(
    caller: SimulatorClient, callback: CallbackServer, postman: EventSender
) -> None:
    caller.http.post("/control/athletes/7/deauthorise")

    postman.deliver_due_events()

    event = callback.events[0]
    assert (event["object_type"], event["object_id"]) == ("athlete", 7)
    assert list_events(callback) == [("update", {"authorized": "false"})]


@pytest.mark.usefixtures("linked_athlete")
def test_an_event_is_tried_three_times_and_then_lost(
    caller: SimulatorClient,
    callback: CallbackServer,
    postman: EventSender,
    clock: ManualClock,
) -> None:
    callback.statuses = [500, 302, 204]
    caller.finish_run(7)

    attempts = []
    for _ in range(4):
        attempts.append(postman.deliver_due_events())
        clock.advance(minutes=2)

    assert attempts == [1, 1, 1, 0]
    assert len(callback.events) == 3


@pytest.mark.usefixtures("linked_athlete")
def test_an_answer_after_the_deadline_is_none(
    caller: SimulatorClient,
    callback: CallbackServer,
    world: World,
) -> None:
    callback.pause_s = 0.2
    caller.finish_run(7)

    EventSender(world, deadline_s=0.02).deliver_due_events()

    event = next(iter(world.events))
    assert (event.state, event.answer) == ("waiting", "no answer in time")


@pytest.mark.usefixtures("linked_athlete")
def test_events_can_be_lost_doubled_and_late(
    caller: SimulatorClient,
    callback: CallbackServer,
    postman: EventSender,
    world: World,
    clock: ManualClock,
) -> None:
    world.put_singleton(DeliverySettings(drop=1))
    caller.finish_run(7)
    world.put_singleton(DeliverySettings(double=1, delay_s=60))
    doubled = caller.finish_run(7)

    at_once = postman.deliver_due_events()
    clock.advance(minutes=1)
    postman.deliver_due_events()

    assert at_once == 0
    assert [event["object_id"] for event in callback.events] == [doubled, doubled]


@pytest.mark.usefixtures("linked_athlete")
def test_events_can_overtake_each_other(
    caller: SimulatorClient,
    callback: CallbackServer,
    postman: EventSender,
    world: World,
    clock: ManualClock,
) -> None:
    world.put_singleton(DeliverySettings(reorder=1))
    first = caller.finish_run(7)
    world.put_singleton(DeliverySettings())
    second = caller.finish_run(7)

    postman.deliver_due_events()
    clock.advance(seconds=3)
    postman.deliver_due_events()

    assert [event["object_id"] for event in callback.events] == [second, first]


@pytest.mark.usefixtures("linked_athlete")
def test_events_are_signed_when_there_is_a_secret(
    caller: SimulatorClient,
    callback: CallbackServer,
    postman: EventSender,
    world: World,
) -> None:
    world.put_singleton(replace(world.app, signing_secret="quiet"))
    caller.finish_run(7)

    postman.deliver_due_events()

    signature = callback.signatures[0]
    assert signature is not None
    at, signed = signature.removeprefix("t=").split(",v1=")
    message = f"{at}.".encode() + callback.raw[0]
    assert signed == hmac.new(b"quiet", message, hashlib.sha256).hexdigest()


@pytest.mark.usefixtures("linked_athlete")
def test_events_of_an_ended_subscription_go_nowhere(
    caller: SimulatorClient,
    callback: CallbackServer,
    postman: EventSender,
    world: World,
) -> None:
    caller.finish_run(7)
    with world.transaction():
        world.subscriptions.remove(120475)

    postman.deliver_due_events()

    assert callback.events == []
    assert [event.state for event in world.events] == ["dropped"]
