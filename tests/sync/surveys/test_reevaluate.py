"""A run that is edited before its mail leaves is decided about again."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync.backoff import LEASE
from sync.models import Decision, Mail, Run, Survey
from sync.runs import pull
from sync.simulator import activities
from sync.strava import Lane
from sync.surveys.sending import decide_runs
from tests.support.harness import Harness


@pytest.fixture
def surveyed_harness(harness: Harness) -> Harness:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    run = harness.finish_run(
        athlete, ended_minutes_ago=5, moving_s=3600, distance_m=10_000
    )
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return harness


def edit_run(harness: Harness, **change: float) -> None:
    athlete = activities.require_athlete(harness.world, 7)
    [activity] = harness.world.list_activities(athlete.id)
    with harness.world.transaction():
        edit = activities.ActivityEdit(**change)  # type: ignore[arg-type]
        activities.edit_activity(harness.world, activity, edit)
    pull.pull_run(harness.runtime, 1, activity.id, lane=Lane.NEW_RUN)
    decide_runs.process_due(harness.runtime)


def get_only_run(harness: Harness) -> tuple[Survey, Decision, Run]:
    with harness.runtime.db.read_only() as session:
        return (
            session.scalars(select(Survey)).one(),
            session.scalars(select(Decision)).one(),
            session.scalars(select(Run)).one(),
        )


def get_only_decision(harness: Harness) -> Decision:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(Decision)).one()


def test_a_crop_moves_the_mail(surveyed_harness: Harness) -> None:
    before, _, _ = get_only_run(surveyed_harness)

    edit_run(surveyed_harness, moving_s=3000)

    after, decision, run = get_only_run(surveyed_harness)
    ended_at = run.started_at + timedelta(seconds=run.elapsed_s)
    assert after.expires_at == ended_at + timedelta(hours=24)
    assert after.expires_at == before.expires_at - timedelta(minutes=10)
    assert decision.verdict == "send"
    with surveyed_harness.runtime.db.read_only() as session:
        kinds = sorted(session.scalars(select(Mail.kind)))
    assert kinds == ["survey", "survey_reminder"]


def test_a_run_cropped_to_nothing_is_not_asked_about(surveyed_harness: Harness) -> None:
    edit_run(surveyed_harness, moving_s=200, distance_m=500)

    with surveyed_harness.runtime.db.read_only() as session:
        decision = session.scalars(select(Decision)).one()
        assert session.scalars(select(Survey)).all() == []
    assert (decision.verdict, decision.reason) == ("withhold", "too short")


def test_a_run_that_comes_back_longer_is_asked_about_and_noted_so(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    run = harness.finish_run(athlete, ended_minutes_ago=5, moving_s=200, distance_m=500)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    assert get_only_decision(harness).reason == "too short"
    with harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=harness.clock()))

    edit_run(harness, moving_s=3600, distance_m=10_000)

    survey, decision, _ = get_only_run(harness)
    assert survey.cancelled_for is None
    assert decision.verdict == "send"
    assert decision.decided_at == survey.created_at


def test_a_run_that_comes_back_shorter_was_still_asked_about(
    surveyed_harness: Harness,
) -> None:
    with surveyed_harness.runtime.db.transaction() as session:
        session.execute(update(Survey).values(sent_at=surveyed_harness.clock()))
        session.execute(
            update(Mail).values(due_at=None, sent_at=surveyed_harness.clock())
        )
        session.execute(update(Run).values(hidden_at=surveyed_harness.clock()))

    edit_run(surveyed_harness, moving_s=200, distance_m=500)

    assert get_only_decision(surveyed_harness).verdict == "send"


def test_a_new_name_changes_nothing(surveyed_harness: Harness) -> None:
    before, _, _ = get_only_run(surveyed_harness)

    edit_run(surveyed_harness)

    assert get_only_run(surveyed_harness)[0].token_hash == before.token_hash


def test_a_mail_on_its_way_keeps_its_time(surveyed_harness: Harness) -> None:
    before, _, _ = get_only_run(surveyed_harness)
    with surveyed_harness.runtime.db.transaction() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "survey")).one()
        mail.attempts, mail.due_at = 1, surveyed_harness.clock() + LEASE

    edit_run(surveyed_harness, moving_s=3000)

    assert get_only_run(surveyed_harness)[0].token_hash == before.token_hash
