"""What happens when questions stay unanswered: fewer mails, and then none."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sync.models import Decision, Mail, Runner, Survey
from sync.runners import preferences
from sync.simulator.records import Athlete
from tests.support.harness import Harness


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.clock.at = datetime(2026, 5, 4, 8, tzinfo=UTC)
    return athlete


def ignore_survey(harness: Harness, athlete: Athlete) -> None:
    """Let four days pass with a run, whose mails go out and stay unanswered."""
    run = harness.finish_run(athlete, ended_minutes_ago=5)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    with harness.runtime.db.transaction() as session:
        for mail in session.scalars(select(Mail).where(Mail.due_at.is_not(None))):
            mail.sent_at, mail.due_at = mail.due_at, None
            if mail.kind == "survey" and mail.survey_id:
                session.get_one(Survey, mail.survey_id).sent_at = mail.sent_at
    harness.advance_clock(days=4)


def list_reasons(harness: Harness) -> list[str]:
    with harness.runtime.db.read_only() as session:
        return list(
            session.scalars(select(Decision.reason).order_by(Decision.run_id)).all()
        )


def count_mails(harness: Harness, kind: str) -> int:
    with harness.runtime.db.read_only() as session:
        return len(session.scalars(select(Mail.id).where(Mail.kind == kind)).all())


def get_runner(harness: Harness) -> Runner:
    with harness.runtime.db.read_only() as session:
        return session.scalars(select(Runner)).one()


def test_two_ignored_reminders_are_the_last(harness: Harness, athlete: Athlete) -> None:
    for _ in range(4):
        ignore_survey(harness, athlete)

    assert count_mails(harness, "survey") == 4
    assert count_mails(harness, "survey_reminder") == 2


def test_after_five_unanswered_one_mail_asks_how_to_go_on(
    harness: Harness, athlete: Athlete
) -> None:
    for _ in range(7):
        ignore_survey(harness, athlete)

    assert list_reasons(harness)[5:] == ["five unanswered", "waiting for your choice"]
    assert count_mails(harness, "survey") == 5
    assert count_mails(harness, "slow_down_question") == 1
    assert get_runner(harness).preferences.is_asking_stopped


def test_who_wants_to_go_on_is_asked_again(harness: Harness, athlete: Athlete) -> None:
    for _ in range(6):
        ignore_survey(harness, athlete)
    preferences.save_preferences(
        harness.runtime, get_runner(harness).id, {"ask": "every-run"}
    )

    ignore_survey(harness, athlete)

    assert list_reasons(harness)[-1] == "after the run"


def test_the_question_how_to_go_on_keeps_the_quiet_hours(
    harness: Harness, athlete: Athlete
) -> None:
    for _ in range(6):
        ignore_survey(harness, athlete)

    with harness.runtime.db.read_only() as session:
        mail = session.scalars(
            select(Mail).where(Mail.kind == "slow_down_question")
        ).one()
    assert mail.stale_at - mail.created_at > timedelta(days=1)
