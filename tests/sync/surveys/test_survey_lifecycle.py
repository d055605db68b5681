"""From a new run to a survey, from a survey to an answer."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Answer, Decision, Mail, Run, Runner, Survey
from sync.simulator import activities
from sync.surveys import unsubscribe
from sync.surveys.answering import answer
from sync.surveys.answering.answer import SurveyClosed
from sync.surveys.instruments import InvalidAnswer
from sync.surveys.sending import decide_runs
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token

ASKING = Mail.kind == "survey"


@pytest.fixture
def surveyed_harness(harness: Harness) -> Harness:
    """Give a runner one new run, with its survey mail in the outbox."""
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    run = harness.finish_run(athlete, ended_minutes_ago=30)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return harness


def list_answers(harness: Harness) -> list[dict[str, int]]:
    with harness.runtime.db.read_only() as session:
        rows = session.execute(
            select(Answer.sealed, Runner.vault_key).join(
                Runner, Runner.id == Answer.runner_id
            )
        ).all()
    return [harness.runtime.sealer.open_vault(key).open(sealed) for sealed, key in rows]


def test_a_new_run_has_one_decision_one_survey_and_one_mail(
    surveyed_harness: Harness,
) -> None:
    with surveyed_harness.runtime.db.read_only() as session:
        decision = session.scalars(select(Decision)).one()
        survey = session.scalars(select(Survey)).one()
        mail = session.scalars(select(Mail).where(ASKING)).one()

    assert (decision.verdict, decision.minutes_since_end) == ("send", 30)
    assert decision.policy["too_old_h"] == 12
    assert mail.survey_id == survey.id
    assert mail.due_at == survey.send_at


def test_the_link_is_kept_only_as_a_hash(surveyed_harness: Harness) -> None:
    token = read_pending_token(surveyed_harness.runtime)

    with surveyed_harness.runtime.db.read_only() as session:
        survey = session.scalars(select(Survey)).one()
        mail = session.scalars(select(Mail).where(ASKING)).one()
    assert token not in survey.token_hash
    assert mail.sealed is not None
    assert token.encode() not in mail.sealed


def test_looking_writes_nothing(surveyed_harness: Harness) -> None:
    page = answer.load_survey_page(
        surveyed_harness.runtime, read_pending_token(surveyed_harness.runtime)
    )

    assert page is not None
    assert page.state == "open"
    assert list_answers(surveyed_harness) == []


def test_an_answer_is_paired_with_its_run_and_sealed(surveyed_harness: Harness) -> None:
    answer.record_answer(
        surveyed_harness.runtime,
        token=read_pending_token(surveyed_harness.runtime),
        values={"mood": 1},
    )

    with surveyed_harness.runtime.db.read_only() as session:
        kept = session.scalars(select(Answer)).one()
        run = session.scalars(select(Run)).one()
    assert kept.run_id == run.id
    assert kept.minutes_since_end == 30
    assert b"mood" not in kept.sealed
    assert list_answers(surveyed_harness) == [{"mood": 1}]


def test_an_answer_can_be_changed_and_added_to(surveyed_harness: Harness) -> None:
    token = read_pending_token(surveyed_harness.runtime)

    answer.record_answer(surveyed_harness.runtime, token=token, values={"mood": 1})
    answer.record_answer(surveyed_harness.runtime, token=token, values={"mood": -1})
    answer.record_answer(surveyed_harness.runtime, token=token, values={"stress": 3})

    assert list_answers(surveyed_harness) == [{"mood": -1, "stress": 3}]


@pytest.mark.parametrize(
    "values", [{"mood": 3}, {"mood": -3}, {"joy": 1}, {"stress": 2}, {}]
)
def test_what_is_no_answer_is_refused(
    surveyed_harness: Harness, values: dict[str, int]
) -> None:
    with pytest.raises(InvalidAnswer):
        answer.record_answer(
            surveyed_harness.runtime,
            token=read_pending_token(surveyed_harness.runtime),
            values=values,
        )

    assert list_answers(surveyed_harness) == []


def test_a_survey_is_dead_24_hours_after_the_run(surveyed_harness: Harness) -> None:
    token = read_pending_token(surveyed_harness.runtime)
    surveyed_harness.advance_clock(hours=23, minutes=30)

    page = answer.load_survey_page(surveyed_harness.runtime, token)

    assert page is not None
    assert page.state == "expired"
    surveyed_harness.advance_clock(minutes=10)
    with pytest.raises(SurveyClosed):
        answer.record_answer(surveyed_harness.runtime, token=token, values={"mood": 0})


def test_a_form_that_was_open_when_the_time_ran_out_may_be_finished(
    surveyed_harness: Harness,
) -> None:
    token = read_pending_token(surveyed_harness.runtime)
    surveyed_harness.advance_clock(hours=23, minutes=39)

    answer.record_answer(surveyed_harness.runtime, token=token, values={"mood": 0})

    assert list_answers(surveyed_harness) == [{"mood": 0}]


def test_an_answer_on_the_dashboard_counts_for_the_survey(
    surveyed_harness: Harness,
) -> None:
    token = read_pending_token(surveyed_harness.runtime)
    with surveyed_harness.runtime.db.read_only() as session:
        run = session.scalars(select(Run)).one()

    answer.record_run_answer(
        surveyed_harness.runtime,
        runner_id=run.runner_id,
        run_id=run.id,
        values={"mood": 2},
    )

    page = answer.load_survey_page(surveyed_harness.runtime, token)
    assert page is not None
    assert (page.state, page.mood) == ("answered", 2)
    with surveyed_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Mail.withheld_for).where(ASKING)).all() == [
            "answered"
        ]


def test_nobody_answers_for_another_runner(surveyed_harness: Harness) -> None:
    with surveyed_harness.runtime.db.read_only() as session:
        run = session.scalars(select(Run)).one()

    with pytest.raises(SurveyClosed):
        answer.record_run_answer(
            surveyed_harness.runtime,
            runner_id=run.runner_id + 1,
            run_id=run.id,
            values={"mood": 2},
        )


def test_skipping_keeps_the_mail_in(surveyed_harness: Harness) -> None:
    answer.skip_survey(
        surveyed_harness.runtime, token=read_pending_token(surveyed_harness.runtime)
    )

    with surveyed_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Mail.withheld_for).where(ASKING)).all() == [
            "skipped"
        ]


def test_a_deleted_run_cancels_its_survey(surveyed_harness: Harness) -> None:
    token = read_pending_token(surveyed_harness.runtime)
    athlete = activities.require_athlete(surveyed_harness.world, 7)
    [activity] = surveyed_harness.world.list_activities(athlete.id)
    with surveyed_harness.world.transaction():
        activities.delete_activity(surveyed_harness.world, activity)

    surveyed_harness.advance_clock(minutes=1)
    surveyed_harness.deliver_event(athlete, activity.id, "delete")
    surveyed_harness.process_all_due()

    page = answer.load_survey_page(surveyed_harness.runtime, token)
    assert page is not None
    assert page.state == "cancelled"
    with surveyed_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Mail.due_at).where(ASKING)).all() == [None]


def test_one_click_stops_the_mails(surveyed_harness: Harness) -> None:
    with surveyed_harness.runtime.db.read_only() as session:
        runner_id = session.scalars(select(Runner.id)).one()
    token = unsubscribe.create_token(surveyed_harness.runtime, runner_id)

    assert unsubscribe.find_runner_id(surveyed_harness.runtime, token) == runner_id
    assert unsubscribe.stop_all_mails(surveyed_harness.runtime, token)

    with surveyed_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Mail.withheld_for).where(ASKING)).all() == [
            "stopped"
        ]


@pytest.mark.parametrize("token", ["", "1-", "1-0000", "x-1", "99999999999999999999-1"])
def test_a_forged_unsubscribe_does_nothing(
    surveyed_harness: Harness, token: str
) -> None:
    assert not unsubscribe.stop_all_mails(surveyed_harness.runtime, token)


def test_the_runs_zone_becomes_the_runners(surveyed_harness: Harness) -> None:
    with surveyed_harness.runtime.db.read_only() as session:
        runner = session.scalars(select(Runner)).one()
        survey = session.scalars(select(Survey)).one()

    assert runner.zone == "Europe/Berlin"
    assert survey.expires_at - surveyed_harness.clock() == timedelta(
        hours=23, minutes=30
    )


def test_a_new_zone_makes_what_was_drawn_out_of_date(surveyed_harness: Harness) -> None:
    with surveyed_harness.runtime.db.transaction() as session:
        runner, run = (
            session.scalars(select(Runner)).one(),
            session.scalars(select(Run)).one(),
        )
        runner.zone, run.undecided_since = "Asia/Tokyo", surveyed_harness.clock()
        before = runner.data_version

    decide_runs.process_due(surveyed_harness.runtime)

    with surveyed_harness.runtime.db.read_only() as session:
        runner = session.scalars(select(Runner)).one()
    assert (runner.zone, runner.data_version) == ("Europe/Berlin", before + 1)
