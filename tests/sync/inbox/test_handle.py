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
from sync.simulator.records import Athlete, SimulatedFault
from sync.surveys.answering import answer
from tests.support.harness import Harness


def list_runs(harness: Harness) -> list[Run]:
    with harness.runtime.db.read_only() as session:
        return list(
            session.scalars(
                select(Run).where(Run.hidden_at.is_(None)).order_by(Run.started_at)
            )
        )


@pytest.fixture
def linked_harness(harness: Harness) -> Harness:
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    harness.advance_clock(hours=3)
    return harness


def get_athlete(harness: Harness) -> Athlete:
    return activities.require_athlete(harness.world, 7)


def test_a_new_run_costs_one_request(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(
        get_athlete(linked_harness), distance_m=8200, moving_s=2700
    )
    before = linked_harness.count_strava_reads()

    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() - before == 1
    [stored] = list_runs(linked_harness)
    assert (stored.distance_m, stored.moving_s) == (8200, 2700)


def test_the_same_event_is_kept_once(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))

    first = linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    again = linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")

    assert (first, again) == (True, False)


def test_an_event_about_nobody_we_know_is_not_kept(linked_harness: Harness) -> None:
    other_browser = linked_harness.add_athlete(99)

    assert not linked_harness.deliver_event(other_browser, 1, "create")


def test_a_new_title_is_not_even_read(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    before = linked_harness.count_strava_reads()

    linked_harness.deliver_event(
        get_athlete(linked_harness), run.id, "update", title="Secret"
    )
    linked_harness.process_all_due()

    assert linked_harness.count_strava_reads() == before


def test_a_run_that_becomes_a_ride_goes(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    with linked_harness.world.transaction():
        activities.edit_activity(
            linked_harness.world, run, activities.ActivityEdit(sport_type="Ride")
        )

    linked_harness.deliver_event(
        get_athlete(linked_harness), run.id, "update", type="Ride"
    )
    linked_harness.process_all_due()

    assert list_runs(linked_harness) == []


def test_a_deleted_run_goes_and_its_answer_stays(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    [stored] = list_runs(linked_harness)
    answer.record_run_answer(
        linked_harness.runtime,
        runner_id=stored.runner_id,
        run_id=stored.id,
        values={"mood": 2},
    )
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, run)

    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "delete")
    linked_harness.process_all_due()

    assert list_runs(linked_harness) == []
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [None]


def test_a_deleted_run_is_out_of_sight_before_strava_confirms_it(
    linked_harness: Harness,
) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    with linked_harness.world.transaction():
        activities.delete_activity(linked_harness.world, run)
        linked_harness.world.faults.put(
            SimulatedFault(id=1, kind="status", status=500, on="detail", times=1)
        )

    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "delete")
    linked_harness.process_all_due()

    assert list_runs(linked_harness) == []
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Run.hidden_at)).one() == linked_harness.clock()


def test_a_forged_delete_brings_the_run_back(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()

    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "delete")
    linked_harness.process_all_due()

    assert len(list_runs(linked_harness)) == 1


def test_going_private_and_back_keeps_the_answer_and_asks_once(
    linked_harness: Harness,
) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness), ended_minutes_ago=30)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    [stored] = list_runs(linked_harness)
    answer.record_run_answer(
        linked_harness.runtime,
        runner_id=stored.runner_id,
        run_id=stored.id,
        values={"mood": -1},
    )
    with linked_harness.world.transaction():
        hidden = activities.edit_activity(
            linked_harness.world, run, activities.ActivityEdit(visibility="only_me")
        )
    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "delete")
    linked_harness.process_all_due()
    with linked_harness.world.transaction():
        activities.edit_activity(
            linked_harness.world, hidden, activities.ActivityEdit(visibility="everyone")
        )

    linked_harness.advance_clock(minutes=1)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()

    [returned] = list_runs(linked_harness)
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [returned.id]
        assert session.scalars(select(Survey.run_id)).all() == [returned.id]


@pytest.mark.parametrize("noticed", ["each time", "together"])
def test_hidden_before_its_mail_left_and_back_a_run_is_asked_about_after_all(
    linked_harness: Harness, noticed: str
) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness), ended_minutes_ago=5)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    linked_harness.process_all_due()
    edits = {"delete": activities.ActivityEdit(visibility="only_me")}
    edits["create"] = activities.ActivityEdit(visibility="everyone")
    for aspect, edit in edits.items():
        with linked_harness.world.transaction():
            run = activities.edit_activity(linked_harness.world, run, edit)
        linked_harness.advance_clock(minutes=1)
        linked_harness.deliver_event(get_athlete(linked_harness), run.id, aspect)
        if noticed == "each time":
            linked_harness.process_all_due()
    linked_harness.process_all_due()

    [returned] = list_runs(linked_harness)
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Survey.run_id)).all() == [returned.id]
        due = session.scalars(select(Mail.kind).where(Mail.due_at.is_not(None)))
        assert sorted(due) == ["survey", "survey_reminder"]
        assert session.scalars(select(Decision.verdict)).all() == ["send"]
