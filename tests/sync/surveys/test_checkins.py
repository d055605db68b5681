"""Random days: drawn once, asked about once, and tagged by the day's runs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sync.mail import messages
from sync.mail.message import Sending
from sync.models import Answer, CheckinDraw, Mail, Runner, Survey
from sync.runners import preferences
from sync.simulator.records import Athlete
from sync.surveys import unsubscribe
from sync.surveys.answering import answer
from sync.surveys.sending import checkins
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in, waiting

MIDNIGHT_IN_BERLIN = datetime(2026, 5, 3, 22, 1, tzinfo=UTC)


@pytest.fixture
def athlete(stage: Stage) -> Athlete:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    with stage.runtime.db.transaction() as session:
        session.scalars(select(Runner)).one().zone = athlete.zone
    stage.clock.at = MIDNIGHT_IN_BERLIN
    return athlete


def draws(stage: Stage) -> list[CheckinDraw]:
    with stage.runtime.db.reading() as session:
        return list(
            session.scalars(select(CheckinDraw).order_by(CheckinDraw.local_day))
        )


def until_one_is_asked(stage: Stage) -> Survey:
    """Let days go by until one has a check-in, and stop at its first minute."""
    for _ in range(60):
        checkins.drain(stage.runtime)
        last = draws(stage)[-1]
        if last.survey_id is not None:
            with stage.runtime.db.reading() as session:
                return session.get_one(Survey, last.survey_id)
        stage.pass_time(days=1)
    raise AssertionError("no day was drawn in sixty")


def test_every_day_is_drawn_once_however_often_we_look(
    stage: Stage, athlete: Athlete
) -> None:
    for _ in range(48):
        checkins.drain(stage.runtime)
        stage.pass_time(minutes=29)

    assert len(draws(stage)) == 1
    assert draws(stage)[0].probability == pytest.approx(2 / 7)


def test_a_check_in_lives_for_four_hours(stage: Stage, athlete: Athlete) -> None:
    survey = until_one_is_asked(stage)

    assert (survey.kind, survey.run_id) == ("checkin", None)
    assert survey.expires_at - survey.send_at == timedelta(hours=4)
    assert survey.tags == {"probability": 2 / 7}
    stage.clock.at = survey.expires_at
    page = answer.look(stage.runtime, token_in(stage.runtime, "checkin"))
    assert page is not None
    assert page.state == "expired"


def test_the_mail_of_a_check_in_can_be_written(stage: Stage, athlete: Athlete) -> None:
    until_one_is_asked(stage)
    sending = Sending("https://m.example", now=stage.clock(), stale_at=stage.clock())

    message = messages.render("checkin", waiting(stage.runtime, "checkin"), sending)

    assert message.unsubscribe_url is not None
    assert message.unsubscribe_url.endswith("?only=checkins")


def test_a_run_before_it_and_one_after_it_are_told_apart(
    stage: Stage, athlete: Athlete
) -> None:
    survey = until_one_is_asked(stage)
    stage.clock.at = survey.send_at + timedelta(minutes=10)
    answer.record(
        stage.runtime, token=token_in(stage.runtime, "checkin"), values={"mood": 1}
    )
    stage.pass_time(hours=1)

    run = stage.run(athlete, ended_minutes_ago=5, moving_s=1200)
    stage.tell(athlete, run.id, "create")
    stage.work()

    assert tags(stage) == {"probability": 2 / 7, "pre_run_same_day": True}


def test_a_short_run_earlier_that_day_is_tagged_too(
    stage: Stage, athlete: Athlete
) -> None:
    survey = until_one_is_asked(stage)
    stage.clock.at = survey.send_at - timedelta(hours=1)
    run = stage.run(athlete, ended_minutes_ago=5, moving_s=400)
    stage.tell(athlete, run.id, "create")
    stage.work()
    stage.clock.at = survey.send_at + timedelta(minutes=10)

    answer.record(
        stage.runtime, token=token_in(stage.runtime, "checkin"), values={"mood": 1}
    )

    assert tags(stage) == {"probability": 2 / 7, "run_earlier": True}


def test_a_run_that_is_told_of_late_still_tags_the_check_in(
    stage: Stage, athlete: Athlete
) -> None:
    survey = until_one_is_asked(stage)
    stage.clock.at = survey.send_at + timedelta(minutes=10)
    answer.record(
        stage.runtime, token=token_in(stage.runtime, "checkin"), values={"mood": 1}
    )
    stage.pass_time(days=2)

    hours = (stage.clock() - survey.send_at) / timedelta(minutes=1) + 120
    run = stage.run(athlete, ended_minutes_ago=hours)
    stage.tell(athlete, run.id, "create")
    stage.work()

    assert tags(stage)["run_earlier"] is True


def test_one_click_stops_the_check_ins_and_nothing_else(
    stage: Stage, athlete: Athlete
) -> None:
    survey = until_one_is_asked(stage)
    token = unsubscribe.token_for(stage.runtime, survey.runner_id)

    assert unsubscribe.stop_only(stage.runtime, token, "checkins")

    chosen = preferences.preferences(stage.runtime, survey.runner_id)
    assert (chosen.checkins, chosen.ask) == (False, "every-run")
    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Mail.withheld_for)).all() == ["stopped"]
    before = len(draws(stage))
    stage.pass_time(days=2)
    checkins.drain(stage.runtime)
    assert len(draws(stage)) == before


@pytest.mark.parametrize(
    "changes",
    [{"ask": "never"}, {"ask": "waiting"}, {"paused_until": "2027-01-01T00:00:00Z"}],
)
def test_who_wants_quiet_is_not_drawn(
    stage: Stage, athlete: Athlete, changes: dict[str, str]
) -> None:
    with stage.runtime.db.reading() as session:
        runner_id = session.scalars(select(Runner.id)).one()
    preferences.save(stage.runtime, runner_id, changes)

    checkins.drain(stage.runtime)

    assert draws(stage) == []


def tags(stage: Stage) -> dict[str, object]:
    with stage.runtime.db.reading() as session:
        return dict(session.scalars(select(Answer.tags)).one())
