"""A run that is edited before its mail leaves is decided about again."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync.mail.delivery_rules import LEASE
from sync.models import Decision, Mail, Run, Survey
from sync.runs import pull
from sync.simulator import activities
from sync.strava import Lane
from sync.surveys.sending import decide_runs
from tests.support.harness import Stage


@pytest.fixture
def asked(stage: Stage) -> Stage:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=3)
    run = stage.run(athlete, ended_minutes_ago=5, moving_s=3600, distance_m=10_000)
    stage.tell(athlete, run.id, "create")
    stage.work()
    return stage


def edit(stage: Stage, **change: float) -> None:
    athlete = activities.find_athlete(stage.world, 7)
    [activity] = stage.world.activities_of(athlete.id)
    with stage.world.change():
        activities.edit(stage.world, activity, activities.Edit(**change))  # type: ignore[arg-type]
    pull.pull(stage.runtime, 1, activity.id, lane=Lane.NEW_RUN)
    decide_runs.drain(stage.runtime)


def only(stage: Stage) -> tuple[Survey, Decision, Run]:
    with stage.runtime.db.reading() as session:
        return (
            session.scalars(select(Survey)).one(),
            session.scalars(select(Decision)).one(),
            session.scalars(select(Run)).one(),
        )


def only_decision(stage: Stage) -> Decision:
    with stage.runtime.db.reading() as session:
        return session.scalars(select(Decision)).one()


def test_a_crop_moves_the_mail(asked: Stage) -> None:
    before, _, _ = only(asked)

    edit(asked, moving_s=3000)

    after, decision, run = only(asked)
    ended_at = run.started_at + timedelta(seconds=run.elapsed_s)
    assert after.expires_at == ended_at + timedelta(hours=24)
    assert after.expires_at == before.expires_at - timedelta(minutes=10)
    assert decision.verdict == "send"
    with asked.runtime.db.reading() as session:
        kinds = sorted(session.scalars(select(Mail.kind)))
    assert kinds == ["survey", "survey_reminder"]


def test_a_run_cropped_to_nothing_is_not_asked_about(asked: Stage) -> None:
    edit(asked, moving_s=200, distance_m=500)

    with asked.runtime.db.reading() as session:
        decision = session.scalars(select(Decision)).one()
        assert session.scalars(select(Survey)).all() == []
    assert (decision.verdict, decision.reason) == ("withhold", "too short")


def test_a_run_that_comes_back_longer_is_asked_about_and_noted_so(
    stage: Stage,
) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=3)
    run = stage.run(athlete, ended_minutes_ago=5, moving_s=200, distance_m=500)
    stage.tell(athlete, run.id, "create")
    stage.work()
    assert only_decision(stage).reason == "too short"
    with stage.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=stage.clock()))

    edit(stage, moving_s=3600, distance_m=10_000)

    survey, decision, _ = only(stage)
    assert survey.cancelled_for is None
    assert decision.verdict == "send"
    assert decision.decided_at == survey.created_at


def test_a_run_that_comes_back_shorter_was_still_asked_about(asked: Stage) -> None:
    with asked.runtime.db.transaction() as session:
        session.execute(update(Survey).values(sent_at=asked.clock()))
        session.execute(update(Mail).values(due_at=None, sent_at=asked.clock()))
        session.execute(update(Run).values(hidden_at=asked.clock()))

    edit(asked, moving_s=200, distance_m=500)

    assert only_decision(asked).verdict == "send"


def test_a_new_name_changes_nothing(asked: Stage) -> None:
    before, _, _ = only(asked)

    edit(asked)

    assert only(asked)[0].token_hash == before.token_hash


def test_a_mail_on_its_way_keeps_its_time(asked: Stage) -> None:
    before, _, _ = only(asked)
    with asked.runtime.db.transaction() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "survey")).one()
        mail.attempts, mail.due_at = 1, asked.clock() + LEASE

    edit(asked, moving_s=3000)

    assert only(asked)[0].token_hash == before.token_hash
