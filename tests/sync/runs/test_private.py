"""Runs that only their runner can see, under a link that shows them nevertheless."""

import pytest
from sqlalchemy import select

from sync.models import Answer
from sync.runs import private
from sync.simulator import activities
from sync.simulator.records import Activity, Visibility
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of, runs_of

WITH_PRIVATE = "read,activity:read_all"


@pytest.fixture
def answered(stage: Stage) -> Activity:
    """Let a runner whose private runs we may not see answer to one that all see."""
    stage.link(stage.athlete(), scope=WITH_PRIVATE)
    stage.work()
    run = stage.run(athlete_of(stage), ended_minutes_ago=30)
    stage.tell(athlete_of(stage), run.id, "create")
    stage.work()
    [stored] = runs_of(stage)
    answer.record_for_run(
        stage.runtime,
        runner_id=stored.runner_id,
        run_id=stored.id,
        values={"mood": 1},
    )
    return run


def becomes(stage: Stage, run: Activity, visibility: Visibility) -> int:
    """Let the run's visibility change; return what we asked Strava about it."""
    asked = stage.reads()
    with stage.world.change():
        activities.edit(stage.world, run, activities.Edit(visibility=visibility))
    stage.pass_time(minutes=1)
    is_private = str(visibility == "only_me").lower()
    stage.tell(athlete_of(stage), run.id, "update", private=is_private)
    stage.work()
    return stage.reads() - asked


def test_a_run_that_becomes_private_goes_at_once(
    stage: Stage, answered: Activity
) -> None:
    asked = becomes(stage, answered, "only_me")

    assert (runs_of(stage), asked) == ([], 0)
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [None]


def test_a_run_that_all_may_see_again_finds_its_answer(
    stage: Stage, answered: Activity
) -> None:
    becomes(stage, answered, "only_me")

    asked = becomes(stage, answered, "everyone")

    [back] = runs_of(stage)
    assert asked == 1
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [back.id]


def test_whoever_lets_us_see_them_keeps_them_without_a_question(
    stage: Stage, answered: Activity
) -> None:
    [stored] = runs_of(stage)
    private.agree(stage.runtime, stored.runner_id)

    asked = becomes(stage, answered, "only_me")

    [kept] = runs_of(stage)
    assert (kept.visibility, asked) == ("only_me", 0)
