"""From a new run to a survey, from a survey to an answer."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer, Decision, Mail, Run, Runner, Survey
from sync.simulator import activities
from sync.surveys import unsubscribe
from sync.surveys.answering import answer
from sync.surveys.answering.answer import TooLate
from sync.surveys.instruments import BadAnswer
from sync.surveys.sending import decide_runs
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in

ASKING = Mail.kind == "survey"


@pytest.fixture
def asked(stage: Stage) -> Stage:
    """Give a runner one new run, with its survey mail in the outbox."""
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=3)
    run = stage.run(athlete, ended_minutes_ago=30)
    stage.tell(athlete, run.id, "create")
    stage.work()
    return stage


def answers(stage: Stage) -> list[dict[str, int]]:
    with stage.runtime.db.reading() as session:
        rows = session.execute(
            select(Answer.sealed, Runner.vault_key).join(
                Runner, Runner.id == Answer.runner_id
            )
        ).all()
    return [stage.runtime.sealer.vault(key).open(sealed) for sealed, key in rows]


def test_a_new_run_has_one_decision_one_survey_and_one_mail(asked: Stage) -> None:
    with asked.runtime.db.reading() as session:
        decision = session.scalars(select(Decision)).one()
        survey = session.scalars(select(Survey)).one()
        mail = session.scalars(select(Mail).where(ASKING)).one()

    assert (decision.verdict, decision.minutes_since_end) == ("send", 30)
    assert decision.policy["too_old_h"] == 12
    assert mail.survey_id == survey.id
    assert mail.due_at == survey.send_at


def test_the_link_is_kept_only_as_a_hash(asked: Stage) -> None:
    token = token_in(asked.runtime)

    with asked.runtime.db.reading() as session:
        survey = session.scalars(select(Survey)).one()
        mail = session.scalars(select(Mail).where(ASKING)).one()
    assert token not in survey.token_hash
    assert mail.sealed is not None
    assert token.encode() not in mail.sealed


def test_looking_writes_nothing(asked: Stage) -> None:
    page = answer.look(asked.runtime, token_in(asked.runtime))

    assert page is not None
    assert page.state == "open"
    assert answers(asked) == []


def test_an_answer_is_paired_with_its_run_and_sealed(asked: Stage) -> None:
    answer.record(asked.runtime, token=token_in(asked.runtime), values={"mood": 1})

    with asked.runtime.db.reading() as session:
        kept = session.scalars(select(Answer)).one()
        run = session.scalars(select(Run)).one()
    assert kept.run_id == run.id
    assert kept.minutes_since_end == 30
    assert b"mood" not in kept.sealed
    assert answers(asked) == [{"mood": 1}]


def test_an_answer_can_be_changed_and_added_to(asked: Stage) -> None:
    token = token_in(asked.runtime)

    answer.record(asked.runtime, token=token, values={"mood": 1})
    answer.record(asked.runtime, token=token, values={"mood": -1})
    answer.record(asked.runtime, token=token, values={"stress": 3})

    assert answers(asked) == [{"mood": -1, "stress": 3}]


@pytest.mark.parametrize(
    "values", [{"mood": 3}, {"mood": -3}, {"joy": 1}, {"stress": 2}, {}]
)
def test_what_is_no_answer_is_refused(asked: Stage, values: dict[str, int]) -> None:
    with pytest.raises(BadAnswer):
        answer.record(asked.runtime, token=token_in(asked.runtime), values=values)

    assert answers(asked) == []


def test_a_survey_is_dead_24_hours_after_the_run(asked: Stage) -> None:
    token = token_in(asked.runtime)
    asked.pass_time(hours=23, minutes=30)

    page = answer.look(asked.runtime, token)

    assert page is not None
    assert page.state == "expired"
    asked.pass_time(minutes=10)
    with pytest.raises(TooLate):
        answer.record(asked.runtime, token=token, values={"mood": 0})


def test_a_form_that_was_open_when_the_time_ran_out_may_be_finished(
    asked: Stage,
) -> None:
    token = token_in(asked.runtime)
    asked.pass_time(hours=23, minutes=39)

    answer.record(asked.runtime, token=token, values={"mood": 0})

    assert answers(asked) == [{"mood": 0}]


def test_an_answer_on_the_dashboard_counts_for_the_survey(asked: Stage) -> None:
    token = token_in(asked.runtime)
    with asked.runtime.db.reading() as session:
        run = session.scalars(select(Run)).one()

    answer.record_for_run(
        asked.runtime, runner_id=run.runner_id, run_id=run.id, values={"mood": 2}
    )

    page = answer.look(asked.runtime, token)
    assert page is not None
    assert (page.state, page.mood) == ("answered", 2)
    with asked.runtime.db.reading() as session:
        assert session.scalars(select(Mail.withheld_for).where(ASKING)).all() == [
            "answered"
        ]


def test_nobody_answers_for_another_runner(asked: Stage) -> None:
    with asked.runtime.db.reading() as session:
        run = session.scalars(select(Run)).one()

    with pytest.raises(TooLate):
        answer.record_for_run(
            asked.runtime,
            runner_id=run.runner_id + 1,
            run_id=run.id,
            values={"mood": 2},
        )


def test_skipping_keeps_the_mail_in(asked: Stage) -> None:
    answer.skip(asked.runtime, token=token_in(asked.runtime))

    with asked.runtime.db.reading() as session:
        assert session.scalars(select(Mail.withheld_for).where(ASKING)).all() == [
            "skipped"
        ]


def test_a_deleted_run_cancels_its_survey(asked: Stage) -> None:
    token = token_in(asked.runtime)
    athlete = activities.find_athlete(asked.world, 7)
    [activity] = asked.world.activities_of(athlete.id)
    with asked.world.change():
        activities.delete(asked.world, activity)

    asked.pass_time(minutes=1)
    asked.tell(athlete, activity.id, "delete")
    asked.work()

    page = answer.look(asked.runtime, token)
    assert page is not None
    assert page.state == "cancelled"
    with asked.runtime.db.reading() as session:
        assert session.scalars(select(Mail.due_at).where(ASKING)).all() == [None]


def test_one_click_stops_the_mails(asked: Stage) -> None:
    with asked.runtime.db.reading() as session:
        runner_id = session.scalars(select(Runner.id)).one()
    token = unsubscribe.token_for(asked.runtime, runner_id)

    assert unsubscribe.holder(asked.runtime, token) == runner_id
    assert unsubscribe.stop(asked.runtime, token)

    with asked.runtime.db.reading() as session:
        assert session.scalars(select(Mail.withheld_for).where(ASKING)).all() == [
            "stopped"
        ]


@pytest.mark.parametrize("token", ["", "1-", "1-0000", "x-1", "99999999999999999999-1"])
def test_a_forged_unsubscribe_does_nothing(asked: Stage, token: str) -> None:
    assert not unsubscribe.stop(asked.runtime, token)


def test_the_runs_zone_becomes_the_runners(asked: Stage) -> None:
    with asked.runtime.db.reading() as session:
        runner = session.scalars(select(Runner)).one()
        survey = session.scalars(select(Survey)).one()

    assert runner.zone == "Europe/Berlin"
    assert survey.expires_at - asked.clock() == timedelta(hours=23, minutes=30)


def test_a_new_zone_makes_what_was_drawn_out_of_date(asked: Stage) -> None:
    with asked.runtime.db.transaction() as session:
        runner, run = (
            session.scalars(select(Runner)).one(),
            session.scalars(select(Run)).one(),
        )
        runner.zone, run.undecided_since = "Asia/Tokyo", asked.clock()
        before = runner.data_version

    decide_runs.drain(asked.runtime)

    with asked.runtime.db.reading() as session:
        runner = session.scalars(select(Runner)).one()
    assert (runner.zone, runner.data_version) == ("Europe/Berlin", before + 1)
