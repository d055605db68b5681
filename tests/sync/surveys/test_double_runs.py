"""Two runs on one day: one question, about both."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer, Decision, Mail, Survey
from sync.simulator.records import Athlete
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in


@pytest.fixture
def athlete(stage: Stage) -> Athlete:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.clock.at = stage.clock.at.replace(hour=8)  # ten o'clock in Berlin
    stage.pass_time(days=2)
    return athlete


def ran(stage: Stage, athlete: Athlete, *, minutes_ago: float = 5) -> None:
    run = stage.run(athlete, ended_minutes_ago=minutes_ago)
    stage.tell(athlete, run.id, "create")
    stage.work()


def send(stage: Stage, kind: str = "survey") -> None:
    """Let the newest mail of a kind leave."""
    with stage.runtime.db.transaction() as session:
        mail = session.scalars(
            select(Mail).where(Mail.kind == kind).order_by(Mail.id.desc())
        ).first()
        assert mail is not None
        mail.sent_at = stage.clock()
        mail.due_at = None
        if kind == "survey" and mail.survey_id:
            session.get_one(Survey, mail.survey_id).sent_at = stage.clock()


def decisions(stage: Stage) -> list[tuple[str, str]]:
    with stage.runtime.db.reading() as session:
        rows = session.execute(
            select(Decision.verdict, Decision.reason).order_by(Decision.run_id)
        )
        return [(verdict, reason) for verdict, reason in rows]


def test_an_unsent_question_moves_behind_the_second_run(
    stage: Stage, athlete: Athlete
) -> None:
    ran(stage, athlete)
    stage.pass_time(minutes=20)

    ran(stage, athlete, minutes_ago=1)

    assert decisions(stage) == [("withhold", "double"), ("send", "after the run")]
    with stage.runtime.db.reading() as session:
        first, second = session.scalars(select(Survey).order_by(Survey.id)).all()
    assert first.cancelled_for == "double"
    assert second.send_at == stage.clock() + timedelta(minutes=29)
    assert second.tags["sessions"] == 1


def test_two_runs_that_are_learned_of_at_once_keep_what_became_of_each(
    stage: Stage, athlete: Athlete
) -> None:
    for minutes_ago in (60, 1):
        run = stage.run(athlete, ended_minutes_ago=minutes_ago)
        stage.tell(athlete, run.id, "create")

    stage.work()

    # One list read brought both, the newest first.
    assert decisions(stage) == [("send", "after the run"), ("withhold", "double")]


def test_a_sent_question_is_superseded_by_one_about_both(
    stage: Stage, athlete: Athlete
) -> None:
    ran(stage, athlete)
    old_link = token_in(stage.runtime)
    send(stage)
    stage.pass_time(hours=6)

    ran(stage, athlete)

    assert decisions(stage) == [("send", "after the run")] * 2
    page = answer.look(stage.runtime, old_link)
    assert page is not None
    assert (page.state, page.why) == ("cancelled", "double")


def test_the_answer_is_attributed_to_both_runs(stage: Stage, athlete: Athlete) -> None:
    ran(stage, athlete)
    stage.pass_time(hours=6)
    ran(stage, athlete)

    answer.record(stage.runtime, token=token_in(stage.runtime), values={"mood": 1})

    with stage.runtime.db.reading() as session:
        said = session.scalars(select(Answer)).one()
        runs = session.scalars(select(Decision.run_id).order_by(Decision.run_id)).all()
    assert said.run_id == runs[1]
    assert said.tags == {"sessions": 2, "earlier_runs": [runs[0]]}


def test_an_answered_question_is_the_only_one_that_day(
    stage: Stage, athlete: Athlete
) -> None:
    ran(stage, athlete)
    send(stage)
    answer.record(stage.runtime, token=token_in_sent(stage), values={"mood": 1})
    stage.pass_time(hours=6)

    ran(stage, athlete)

    assert decisions(stage)[1] == ("withhold", "one a day")


def token_in_sent(stage: Stage) -> str:
    with stage.runtime.db.reading() as session:
        reminder = session.scalars(
            select(Mail.sealed).where(Mail.kind == "survey_reminder")
        ).one()
    assert reminder is not None
    return token_in(stage.runtime, "survey_reminder")


def test_a_third_run_finds_the_days_mails_used_up(
    stage: Stage, athlete: Athlete
) -> None:
    ran(stage, athlete)
    send(stage)
    stage.pass_time(hours=3)
    ran(stage, athlete)
    send(stage)
    stage.pass_time(hours=4)

    ran(stage, athlete)

    assert decisions(stage)[2] == ("withhold", "one a day")


def test_a_race_is_marked_on_its_answer(stage: Stage, athlete: Athlete) -> None:
    run = stage.run(athlete, ended_minutes_ago=5, race=True)
    stage.tell(athlete, run.id, "create")
    stage.work()

    answer.record(stage.runtime, token=token_in(stage.runtime), values={"mood": 1})

    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Answer.tags)).one() == {"race": True}
