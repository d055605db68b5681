"""What happens when questions stay unanswered: fewer mails, and then none."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sync.models import Decision, Mail, Runner, Survey
from sync.preferences import Preferences
from sync.runners import preferences
from sync.simulator.records import Athlete
from tests.support.harness import Stage


@pytest.fixture
def athlete(stage: Stage) -> Athlete:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.clock.at = datetime(2026, 5, 4, 8, tzinfo=UTC)
    return athlete


def ignore_a_run(stage: Stage, athlete: Athlete) -> None:
    """Let four days pass with a run, whose mails go out and stay unanswered."""
    run = stage.run(athlete, ended_minutes_ago=5)
    stage.tell(athlete, run.id, "create")
    stage.work()
    with stage.runtime.db.transaction() as session:
        for mail in session.scalars(select(Mail).where(Mail.due_at.is_not(None))):
            mail.sent_at, mail.due_at = mail.due_at, None
            if mail.kind == "survey" and mail.survey_id:
                session.get_one(Survey, mail.survey_id).sent_at = mail.sent_at
    stage.pass_time(days=4)


def reasons(stage: Stage) -> list[str]:
    with stage.runtime.db.reading() as session:
        return list(
            session.scalars(select(Decision.reason).order_by(Decision.run_id)).all()
        )


def mails(stage: Stage, kind: str) -> int:
    with stage.runtime.db.reading() as session:
        return len(session.scalars(select(Mail.id).where(Mail.kind == kind)).all())


def runner(stage: Stage) -> Runner:
    with stage.runtime.db.reading() as session:
        return session.scalars(select(Runner)).one()


def test_two_ignored_reminders_are_the_last(stage: Stage, athlete: Athlete) -> None:
    for _ in range(4):
        ignore_a_run(stage, athlete)

    assert mails(stage, "survey") == 4
    assert mails(stage, "survey_reminder") == 2


def test_after_five_unanswered_one_mail_asks_how_to_go_on(
    stage: Stage, athlete: Athlete
) -> None:
    for _ in range(7):
        ignore_a_run(stage, athlete)

    assert reasons(stage)[5:] == ["five unanswered", "waiting for your choice"]
    assert mails(stage, "survey") == 5
    assert mails(stage, "slow_down_question") == 1
    assert Preferences.of(runner(stage).preferences).is_silent


def test_who_wants_to_go_on_is_asked_again(stage: Stage, athlete: Athlete) -> None:
    for _ in range(6):
        ignore_a_run(stage, athlete)
    preferences.save(stage.runtime, runner(stage).id, {"ask": "every-run"})

    ignore_a_run(stage, athlete)

    assert reasons(stage)[-1] == "after the run"


def test_the_question_how_to_go_on_keeps_the_quiet_hours(
    stage: Stage, athlete: Athlete
) -> None:
    for _ in range(6):
        ignore_a_run(stage, athlete)

    with stage.runtime.db.reading() as session:
        mail = session.scalars(
            select(Mail).where(Mail.kind == "slow_down_question")
        ).one()
    assert mail.stale_at - mail.created_at > timedelta(days=1)
