"""Who takes the permission back at Strava goes; who only says so for them stays."""

from sqlalchemy import select

from sync.inbox.event import WebhookDelivery
from sync.inbox.receive import receive_delivery
from sync.models import (
    Connection,
    Runner,
)
from sync.simulator import grants
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, linked_harness, list_runs

__all__ = ["linked_harness"]


def test_a_true_deauthorisation_removes_what_is_strava_s(
    linked_harness: Harness,
) -> None:
    athlete = get_athlete(linked_harness)
    run = linked_harness.finish_run(athlete)
    linked_harness.deliver_event(athlete, run.id, "create")
    linked_harness.process_all_due()
    with linked_harness.world.transaction():
        grants.deauthorise_athlete(linked_harness.world, athlete.id)

    deliver_deauthorisation(linked_harness, athlete.id)
    linked_harness.process_all_due()

    assert list_runs(linked_harness) == []
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Runner.athlete_id)).all() == [None]
        assert session.scalars(select(Connection)).all() == []


def test_a_forged_deauthorisation_removes_nothing(linked_harness: Harness) -> None:
    athlete = get_athlete(linked_harness)
    run = linked_harness.finish_run(athlete)
    linked_harness.deliver_event(athlete, run.id, "create")
    linked_harness.process_all_due()

    deliver_deauthorisation(linked_harness, athlete.id)
    linked_harness.process_all_due()

    assert len(list_runs(linked_harness)) == 1


def deliver_deauthorisation(harness: Harness, athlete_id: int) -> None:
    receive_delivery(
        harness.runtime,
        WebhookDelivery.model_validate(
            {
                "object_type": "athlete",
                "object_id": athlete_id,
                "aspect_type": "update",
                "owner_id": athlete_id,
                "subscription_id": 1,
                "event_time": int(harness.clock().timestamp()),
                "updates": {"authorized": "false"},
            }
        ),
    )
