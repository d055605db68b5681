"""What happens at Strava reaches our tables, in any order and only once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.inbox import handle
from sync.inbox.event import Delivery
from sync.inbox.receive import receive
from sync.models import (
    Answer,
    Connection,
    Decision,
    Event,
    Mail,
    Run,
    Runner,
    Survey,
)
from sync.queue import Work
from sync.simulator import grants, life
from sync.simulator.records import Athlete, Fault
from sync.surveys import answer
from tests.stage import Stage


def runs_of(stage: Stage) -> list[Run]:
    with stage.runtime.db.reading() as session:
        return list(
            session.scalars(
                select(Run).where(Run.hidden_at.is_(None)).order_by(Run.started_at)
            )
        )


@pytest.fixture
def linked(stage: Stage) -> Stage:
    stage.link(stage.athlete())
    stage.work()
    stage.pass_time(hours=3)
    return stage


def athlete_of(stage: Stage) -> Athlete:
    return life.find_athlete(stage.world, 7)


def test_a_new_run_costs_one_request(linked: Stage) -> None:
    run = linked.run(athlete_of(linked), distance_m=8200, moving_s=2700)
    before = linked.reads()

    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()

    assert linked.reads() - before == 1
    [stored] = runs_of(linked)
    assert (stored.distance_m, stored.moving_s) == (8200, 2700)


def test_the_same_event_is_kept_once(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))

    first = linked.tell(athlete_of(linked), run.id, "create")
    again = linked.tell(athlete_of(linked), run.id, "create")

    assert (first, again) == (True, False)


def test_an_event_about_nobody_we_know_is_not_kept(linked: Stage) -> None:
    stranger = linked.athlete(99)

    assert not linked.tell(stranger, 1, "create")


def test_a_new_title_is_not_even_read(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    before = linked.reads()

    linked.tell(athlete_of(linked), run.id, "update", title="Secret")
    linked.work()

    assert linked.reads() == before


def test_a_run_that_becomes_a_ride_goes(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    with linked.world.change():
        life.edit(linked.world, run, life.Edit(sport_type="Ride"))

    linked.tell(athlete_of(linked), run.id, "update", type="Ride")
    linked.work()

    assert runs_of(linked) == []


def test_a_deleted_run_goes_and_its_answer_stays(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    [stored] = runs_of(linked)
    answer.record_for_run(
        linked.runtime,
        runner_id=stored.runner_id,
        run_id=stored.id,
        values={"mood": 2},
    )
    with linked.world.change():
        life.delete(linked.world, run)

    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), run.id, "delete")
    linked.work()

    assert runs_of(linked) == []
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [None]


def test_a_deleted_run_is_out_of_sight_before_strava_confirms_it(
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    with linked.world.change():
        life.delete(linked.world, run)
        linked.world.faults.put(
            Fault(id=1, kind="status", status=500, on="detail", times=1)
        )

    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), run.id, "delete")
    linked.work()

    assert runs_of(linked) == []
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Run.hidden_at)).one() == linked.clock()


def test_a_forged_delete_brings_the_run_back(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()

    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), run.id, "delete")
    linked.work()

    assert len(runs_of(linked)) == 1


def test_going_private_and_back_keeps_the_answer_and_asks_once(
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked), ended_minutes_ago=30)
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    [stored] = runs_of(linked)
    answer.record_for_run(
        linked.runtime,
        runner_id=stored.runner_id,
        run_id=stored.id,
        values={"mood": -1},
    )
    with linked.world.change():
        hidden = life.edit(linked.world, run, life.Edit(visibility="only_me"))
    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), run.id, "delete")
    linked.work()
    with linked.world.change():
        life.edit(linked.world, hidden, life.Edit(visibility="everyone"))

    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()

    [returned] = runs_of(linked)
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [returned.id]
        assert session.scalars(select(Survey.run_id)).all() == [returned.id]


@pytest.mark.parametrize("noticed", ["each time", "together"])
def test_hidden_before_its_mail_left_and_back_a_run_is_asked_about_after_all(
    linked: Stage, noticed: str
) -> None:
    run = linked.run(athlete_of(linked), ended_minutes_ago=5)
    linked.tell(athlete_of(linked), run.id, "create")
    linked.work()
    edits = {"delete": life.Edit(visibility="only_me")}
    edits["create"] = life.Edit(visibility="everyone")
    for aspect, edit in edits.items():
        with linked.world.change():
            run = life.edit(linked.world, run, edit)
        linked.pass_time(minutes=1)
        linked.tell(athlete_of(linked), run.id, aspect)
        if noticed == "each time":
            linked.work()
    linked.work()

    [returned] = runs_of(linked)
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Survey.run_id)).all() == [returned.id]
        due = session.scalars(select(Mail.kind).where(Mail.due_at.is_not(None)))
        assert sorted(due) == ["survey", "survey_reminder"]
        assert session.scalars(select(Decision.verdict)).all() == ["send"]


def test_a_run_announced_too_early_is_asked_for_again(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 424_242, "create")

    linked.work()

    assert linked.queue.later == [(Work.INBOX, 30.0)]


def test_a_run_that_never_appears_is_asked_for_three_times_more(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 424_242, "create")
    before = linked.reads()

    for wait_s in (0, 30, 120, 600, 3600, 86400):
        linked.pass_time(seconds=wait_s)
        linked.work()

    assert [wait_s for _, wait_s in linked.queue.later] == [30.0, 120.0, 600.0]
    assert linked.reads() - before == 4
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Event.due_at)).one() is None


def test_a_429_pauses_and_costs_no_attempt(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    with linked.world.change():
        linked.world.faults.put(
            Fault(id=1, kind="status", status=429, on="detail", times=1)
        )
    linked.tell(athlete_of(linked), run.id, "create")

    linked.work()

    with linked.runtime.db.reading() as session:
        event = session.scalars(select(Event)).one()
    assert event.attempts == 0
    assert event.due_at is not None
    assert event.due_at > linked.clock()


def test_only_one_worker_acts_for_a_runner(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    with linked.runtime.db.transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.busy_until = linked.clock() + timedelta(minutes=5)
    linked.tell(athlete_of(linked), run.id, "create")

    handle.drain(linked.runtime)

    assert runs_of(linked) == []


def test_work_left_by_a_dead_worker_is_taken_up_after_its_lease(
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    with linked.runtime.db.transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.busy_until = linked.clock() + timedelta(minutes=5)

    linked.pass_time(minutes=6)
    linked.work()

    assert len(runs_of(linked)) == 1


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
