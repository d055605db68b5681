"""Who takes the permission back at Strava goes; who only says so for them stays."""

from sqlalchemy import select

from sync.inbox.event import Delivery
from sync.inbox.receive import receive
from sync.models import (
    Connection,
    Runner,
)
from sync.simulator import grants
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of, linked, runs_of

__all__ = ["linked"]


def test_a_true_deauthorisation_removes_what_is_strava_s(linked: Stage) -> None:
    athlete = athlete_of(linked)
    run = linked.run(athlete)
    linked.tell(athlete, run.id, "create")
    linked.work()
    with linked.world.change():
        grants.deauthorise(linked.world, athlete.id)

    tell_deauthorised(linked, athlete.id)
    linked.work()

    assert runs_of(linked) == []
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Runner.athlete_id)).all() == [None]
        assert session.scalars(select(Connection)).all() == []


def test_a_forged_deauthorisation_removes_nothing(linked: Stage) -> None:
    athlete = athlete_of(linked)
    run = linked.run(athlete)
    linked.tell(athlete, run.id, "create")
    linked.work()

    tell_deauthorised(linked, athlete.id)
    linked.work()

    assert len(runs_of(linked)) == 1


def tell_deauthorised(stage: Stage, athlete_id: int) -> None:
    receive(
        stage.runtime,
        Delivery.model_validate(
            {
                "object_type": "athlete",
                "object_id": athlete_id,
                "aspect_type": "update",
                "owner_id": athlete_id,
                "subscription_id": 1,
                "event_time": 1_777_000_000,
                "updates": {"authorized": "false"},
            }
        ),
    )
