"""Random days: drawn once, asked about once, and tagged by the day's runs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from sync.mail.message import RenderContext
from sync.mail.rendering import render_mail
from sync.models import Answer, CheckinDraw, Mail, Runner, Survey
from sync.runners import preferences
from sync.simulator.records import Athlete
from sync.surveys import unsubscribe
from sync.surveys.answering import answer
from sync.surveys.sending import checkins
from sync.vocabulary import MailKind
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail, read_pending_token

MIDNIGHT_IN_BERLIN = datetime(2026, 5, 3, 22, 1, tzinfo=UTC)


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    with harness.runtime.db.transaction() as session:
        session.scalars(select(Runner)).one().zone = athlete.zone
    harness.clock.at = MIDNIGHT_IN_BERLIN
    return athlete


def list_draws(harness: Harness) -> list[CheckinDraw]:
    with harness.runtime.db.read_only() as session:
        return list(
            session.scalars(select(CheckinDraw).order_by(CheckinDraw.local_day))
        )


def advance_until_checkin(harness: Harness) -> Survey:
    """Let days go by until one has a check-in, and stop at its first minute."""
    for _ in range(60):
        checkins.process_due(harness.runtime)
        last = list_draws(harness)[-1]
        if last.survey_id is not None:
            with harness.runtime.db.read_only() as session:
                return session.get_one(Survey, last.survey_id)
        harness.advance_clock(days=1)
    raise AssertionError("no day was drawn in sixty")


def test_every_day_is_drawn_once_however_often_we_look(
    harness: Harness, athlete: Athlete
) -> None:
    for _ in range(48):
        checkins.process_due(harness.runtime)
        harness.advance_clock(minutes=29)

    assert len(list_draws(harness)) == 1
    assert list_draws(harness)[0].probability == pytest.approx(2 / 7)


def test_a_check_in_lives_for_four_hours(harness: Harness, athlete: Athlete) -> None:
    survey = advance_until_checkin(harness)

    assert (survey.kind, survey.run_id) == ("checkin", None)
    assert survey.expires_at - survey.send_at == timedelta(hours=4)
    assert survey.tags == {"probability": 2 / 7}
    harness.clock.at = survey.expires_at
    page = answer.load_survey_page(
        harness.runtime, read_pending_token(harness.runtime, "checkin")
    )
    assert page is not None
    assert page.state == "expired"


def test_the_mail_of_a_check_in_can_be_written(
    harness: Harness, athlete: Athlete
) -> None:
    advance_until_checkin(harness)
    sending = RenderContext(
        "https://m.example", now=harness.clock(), stale_at=harness.clock()
    )

    message = render_mail(
        MailKind.CHECKIN, read_pending_mail(harness.runtime, "checkin"), sending
    )

    assert message.unsubscribe_url is not None
    assert message.unsubscribe_url.endswith("?only=checkins")


def test_a_run_before_it_and_one_after_it_are_told_apart(
    harness: Harness, athlete: Athlete
) -> None:
    survey = advance_until_checkin(harness)
    harness.clock.at = survey.send_at + timedelta(minutes=10)
    answer.record_answer(
        harness.runtime,
        token=read_pending_token(harness.runtime, "checkin"),
        values={"mood": 1},
    )
    harness.advance_clock(hours=1)

    run = harness.finish_run(athlete, ended_minutes_ago=5, moving_s=1200)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()

    assert read_tags(harness) == {"probability": 2 / 7, "pre_run_same_day": True}


def test_a_short_run_earlier_that_day_is_tagged_too(
    harness: Harness, athlete: Athlete
) -> None:
    survey = advance_until_checkin(harness)
    harness.clock.at = survey.send_at - timedelta(hours=1)
    run = harness.finish_run(athlete, ended_minutes_ago=5, moving_s=400)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    harness.clock.at = survey.send_at + timedelta(minutes=10)

    answer.record_answer(
        harness.runtime,
        token=read_pending_token(harness.runtime, "checkin"),
        values={"mood": 1},
    )

    assert read_tags(harness) == {"probability": 2 / 7, "run_earlier": True}


def test_a_run_that_is_told_of_late_still_tags_the_check_in(
    harness: Harness, athlete: Athlete
) -> None:
    survey = advance_until_checkin(harness)
    harness.clock.at = survey.send_at + timedelta(minutes=10)
    answer.record_answer(
        harness.runtime,
        token=read_pending_token(harness.runtime, "checkin"),
        values={"mood": 1},
    )
    harness.advance_clock(days=2)

    hours = (harness.clock() - survey.send_at) / timedelta(minutes=1) + 120
    run = harness.finish_run(athlete, ended_minutes_ago=hours)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()

    assert read_tags(harness)["run_earlier"] is True


def test_one_click_stops_the_check_ins_and_nothing_else(
    harness: Harness, athlete: Athlete
) -> None:
    survey = advance_until_checkin(harness)
    token = unsubscribe.create_token(harness.runtime, survey.runner_id)

    assert unsubscribe.stop_part(harness.runtime, token, "checkins")

    chosen = preferences.load_preferences(harness.runtime, survey.runner_id)
    assert (chosen.checkins, chosen.ask) == (False, "every-run")
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Mail.withheld_for)).all() == ["stopped"]
    before = len(list_draws(harness))
    harness.advance_clock(days=2)
    checkins.process_due(harness.runtime)
    assert len(list_draws(harness)) == before


@pytest.mark.parametrize(
    "changes",
    [{"ask": "never"}, {"ask": "waiting"}, {"paused_until": "2027-01-01T00:00:00Z"}],
)
def test_who_wants_quiet_is_not_drawn(
    harness: Harness, athlete: Athlete, changes: dict[str, str]
) -> None:
    with harness.runtime.db.read_only() as session:
        runner_id = session.scalars(select(Runner.id)).one()
    preferences.save_preferences(harness.runtime, runner_id, changes)

    checkins.process_due(harness.runtime)

    assert list_draws(harness) == []


def read_tags(harness: Harness) -> dict[str, object]:
    with harness.runtime.db.read_only() as session:
        return dict(session.scalars(select(Answer.tags)).one())
