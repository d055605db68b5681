"""Two runs on one day: one question, about both."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer, Decision, Mail, Survey
from sync.simulator.records import Athlete
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.clock.at = harness.clock.at.replace(hour=8)  # ten o'clock in Berlin
    harness.advance_clock(days=2)
    return athlete


def finish_run(harness: Harness, athlete: Athlete, *, minutes_ago: float = 5) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=minutes_ago)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()


def deliver_mails(harness: Harness, kind: str = "survey") -> None:
    """Let the newest mail of a kind leave."""
    with harness.runtime.db.transaction() as session:
        mail = session.scalars(
            select(Mail).where(Mail.kind == kind).order_by(Mail.id.desc())
        ).first()
        assert mail is not None
        mail.sent_at = harness.clock()
        mail.due_at = None
        if kind == "survey" and mail.survey_id:
            session.get_one(Survey, mail.survey_id).sent_at = harness.clock()


def list_decisions(harness: Harness) -> list[tuple[str, str]]:
    with harness.runtime.db.read_only() as session:
        rows = session.execute(
            select(Decision.verdict, Decision.reason).order_by(Decision.run_id)
        )
        return [(verdict, reason) for verdict, reason in rows]


def test_an_unsent_question_moves_behind_the_second_run(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    harness.advance_clock(minutes=20)

    finish_run(harness, athlete, minutes_ago=1)

    assert list_decisions(harness) == [
        ("withhold", "double"),
        ("send", "after the run"),
    ]
    with harness.runtime.db.read_only() as session:
        first, second = session.scalars(select(Survey).order_by(Survey.id)).all()
    assert first.cancelled_for == "double"
    assert second.send_at == harness.clock() + timedelta(minutes=29)
    assert second.tags["sessions"] == 1


def test_two_runs_that_are_learned_of_at_once_keep_what_became_of_each(
    harness: Harness, athlete: Athlete
) -> None:
    for minutes_ago in (60, 1):
        run = harness.finish_run(athlete, ended_minutes_ago=minutes_ago)
        harness.deliver_event(athlete, run.id, "create")

    harness.process_all_due()

    # One list read brought both, the newest first.
    assert list_decisions(harness) == [
        ("send", "after the run"),
        ("withhold", "double"),
    ]


def test_a_sent_question_is_superseded_by_one_about_both(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    old_link = read_pending_token(harness.runtime)
    deliver_mails(harness)
    harness.advance_clock(hours=6)

    finish_run(harness, athlete)

    assert list_decisions(harness) == [("send", "after the run")] * 2
    page = answer.load_survey_page(harness.runtime, old_link)
    assert page is not None
    assert (page.state, page.cancel_reason) == ("cancelled", "double")


def test_the_answer_is_attributed_to_both_runs(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    harness.advance_clock(hours=6)
    finish_run(harness, athlete)

    answer.record_answer(
        harness.runtime, token=read_pending_token(harness.runtime), values={"mood": 1}
    )

    with harness.runtime.db.read_only() as session:
        said = session.scalars(select(Answer)).one()
        runs = session.scalars(select(Decision.run_id).order_by(Decision.run_id)).all()
    assert said.run_id == runs[1]
    assert said.tags == {"sessions": 2, "earlier_runs": [runs[0]]}


def test_an_answered_question_is_the_only_one_that_day(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    deliver_mails(harness)
    answer.record_answer(
        harness.runtime, token=read_sent_token(harness), values={"mood": 1}
    )
    harness.advance_clock(hours=6)

    finish_run(harness, athlete)

    assert list_decisions(harness)[1] == ("withhold", "one a day")


def read_sent_token(harness: Harness) -> str:
    with harness.runtime.db.read_only() as session:
        reminder = session.scalars(
            select(Mail.sealed).where(Mail.kind == "survey_reminder")
        ).one()
    assert reminder is not None
    return read_pending_token(harness.runtime, "survey_reminder")


def test_a_third_run_finds_the_days_mails_used_up(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    deliver_mails(harness)
    harness.advance_clock(hours=3)
    finish_run(harness, athlete)
    deliver_mails(harness)
    harness.advance_clock(hours=4)

    finish_run(harness, athlete)

    assert list_decisions(harness)[2] == ("withhold", "one a day")


def test_a_race_is_marked_on_its_answer(harness: Harness, athlete: Athlete) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=5, race=True)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()

    answer.record_answer(
        harness.runtime, token=read_pending_token(harness.runtime), values={"mood": 1}
    )

    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.tags)).one() == {"race": True}
