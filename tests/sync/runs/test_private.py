"""Runs that only their runner can see, under a link that shows them nevertheless."""

import pytest
from sqlalchemy import select

from sync.models import Answer
from sync.runs import private
from sync.simulator import activities
from sync.simulator.records import Activity, Visibility
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, list_runs

WITH_PRIVATE = "read,activity:read_all"


@pytest.fixture
def answered_private_run(harness: Harness) -> Activity:
    """Let a runner whose private runs we may not see answer to one that all see."""
    harness.link_runner(harness.add_athlete(), scope=WITH_PRIVATE)
    harness.process_all_due()
    run = harness.finish_run(get_athlete(harness), ended_minutes_ago=30)
    harness.deliver_event(get_athlete(harness), run.id, "create")
    harness.process_all_due()
    [stored] = list_runs(harness)
    answer.record_run_answer(
        harness.runtime,
        runner_id=stored.runner_id,
        run_id=stored.id,
        values={"mood": 1},
    )
    return run


def change_visibility(harness: Harness, run: Activity, visibility: Visibility) -> int:
    """Let the run's visibility change; return what we asked Strava about it."""
    reads_before = harness.count_strava_reads()
    with harness.world.transaction():
        activities.edit_activity(
            harness.world, run, activities.ActivityEdit(visibility=visibility)
        )
    harness.advance_clock(minutes=1)
    is_private = str(visibility == "only_me").lower()
    harness.deliver_event(get_athlete(harness), run.id, "update", private=is_private)
    harness.process_all_due()
    return harness.count_strava_reads() - reads_before


def test_a_run_that_becomes_private_goes_at_once(
    harness: Harness, answered_private_run: Activity
) -> None:
    asked = change_visibility(harness, answered_private_run, "only_me")

    assert (list_runs(harness), asked) == ([], 1)
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [None]


def test_a_run_that_is_only_said_to_be_private_stays(
    harness: Harness, answered_private_run: Activity
) -> None:
    athlete = get_athlete(harness)

    harness.deliver_event(athlete, answered_private_run.id, "update", private="true")
    harness.process_all_due()

    [kept] = list_runs(harness)
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [kept.id]


def test_a_run_that_all_may_see_again_finds_its_answer(
    harness: Harness, answered_private_run: Activity
) -> None:
    change_visibility(harness, answered_private_run, "only_me")

    asked = change_visibility(harness, answered_private_run, "everyone")

    [back] = list_runs(harness)
    assert asked == 1
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [back.id]


def test_whoever_lets_us_see_them_keeps_them_without_a_question(
    harness: Harness, answered_private_run: Activity
) -> None:
    [stored] = list_runs(harness)
    private.grant_consent(harness.runtime, stored.runner_id)

    asked = change_visibility(harness, answered_private_run, "only_me")

    [kept] = list_runs(harness)
    assert (kept.visibility, asked) == ("only_me", 0)
