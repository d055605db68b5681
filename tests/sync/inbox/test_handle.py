"""What happens at Strava reaches our tables, in any order and only once."""

import pytest
from sqlalchemy import select

from sync.models import (
    Answer,
    Decision,
    Mail,
    Run,
    Survey,
)
from sync.simulator import activities
from sync.simulator.records import Athlete, Fault
from sync.surveys.answering import answer
from tests.support.harness import Stage


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
    return activities.find_athlete(stage.world, 7)


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
        activities.edit(linked.world, run, activities.Edit(sport_type="Ride"))

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
        activities.delete(linked.world, run)

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
        activities.delete(linked.world, run)
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
        hidden = activities.edit(
            linked.world, run, activities.Edit(visibility="only_me")
        )
    linked.pass_time(minutes=1)
    linked.tell(athlete_of(linked), run.id, "delete")
    linked.work()
    with linked.world.change():
        activities.edit(linked.world, hidden, activities.Edit(visibility="everyone"))

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
    edits = {"delete": activities.Edit(visibility="only_me")}
    edits["create"] = activities.Edit(visibility="everyone")
    for aspect, edit in edits.items():
        with linked.world.change():
            run = activities.edit(linked.world, run, edit)
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
