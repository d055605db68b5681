"""What a runner says unasked: a feeling before a run, a look every four weeks."""

import pytest
from sqlalchemy import select

from sync.models import Answer, Mail, Run
from sync.runners import preferences
from sync.runners import store as runners
from sync.simulator.records import Athlete
from sync.surveys.answering import pre_run, wellbeing
from sync.surveys.answering.pre_run import InvalidPreRunLink
from sync.surveys.answering.wellbeing import WellbeingNotDue
from sync.surveys.instruments import InvalidAnswer
from tests.support.harness import Harness

FIVE = ("who5_1", "who5_2", "who5_3", "who5_4", "who5_5")


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    return athlete


@pytest.fixture
def runner_id(harness: Harness, athlete: Athlete) -> int:
    harness.runtime.settings.data_dir.mkdir(exist_ok=True)
    return 1


def finish_run(harness: Harness, athlete: Athlete) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=1, moving_s=1800)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()


def list_pre_run_answers(harness: Harness) -> list[Answer]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(Answer).where(Answer.kind == "before")))


@pytest.mark.parametrize(("hours", "paired"), [(1, True), (2.9, True), (3.1, False)])
def test_a_before_is_paired_with_the_run_that_starts_soon(
    harness: Harness, athlete: Athlete, hours: float, paired: bool
) -> None:
    token = pre_run.create_token(harness.runtime, 1)
    pre_run.record_mood(harness.runtime, token=token, mood=-1)
    harness.advance_clock(hours=hours, minutes=31)

    finish_run(harness, athlete)

    [said] = list_pre_run_answers(harness)
    with harness.runtime.db.read_only() as session:
        run = session.scalars(select(Run)).one()
        vault = runners.open_vault(session, harness.runtime.sealer, run.runner_id)
    expected = {"paired_with": vault.pairing_key(run.source, run.source_id)}
    assert said.tags == (expected if paired else {})


def test_a_before_belongs_to_one_run_only(harness: Harness, athlete: Athlete) -> None:
    pre_run.record_mood(
        harness.runtime, token=pre_run.create_token(harness.runtime, 1), mood=0
    )
    harness.advance_clock(minutes=40)
    finish_run(harness, athlete)
    first = list_pre_run_answers(harness)[0].tags
    harness.advance_clock(minutes=60)

    finish_run(harness, athlete)

    assert list_pre_run_answers(harness)[0].tags == first


def test_a_second_tap_corrects_the_first(harness: Harness, athlete: Athlete) -> None:
    token = pre_run.create_token(harness.runtime, 1)
    pre_run.record_mood(harness.runtime, token=token, mood=-1)
    harness.advance_clock(minutes=5)
    pre_run.record_mood(harness.runtime, token=token, mood=1)
    harness.advance_clock(minutes=30)
    pre_run.record_mood(harness.runtime, token=token, mood=2)

    assert len(list_pre_run_answers(harness)) == 2


@pytest.mark.parametrize("token", ["", "1-", "1-00", "2-ab", "x"])
def test_a_forged_bookmark_says_nothing(
    harness: Harness, athlete: Athlete, token: str
) -> None:
    with pytest.raises(InvalidPreRunLink):
        pre_run.record_mood(harness.runtime, token=token, mood=1)

    assert list_pre_run_answers(harness) == []


def test_what_is_no_mood_is_refused(harness: Harness, athlete: Athlete) -> None:
    with pytest.raises(InvalidAnswer):
        pre_run.record_mood(
            harness.runtime, token=pre_run.create_token(harness.runtime, 1), mood=3
        )


def test_wellbeing_is_off_until_it_is_switched_on(
    harness: Harness, runner_id: int
) -> None:
    assert not wellbeing.load_page(harness.runtime, runner_id).is_enabled

    with pytest.raises(WellbeingNotDue):
        wellbeing.record_answers(harness.runtime, runner_id, dict.fromkeys(FIVE, 3))


def test_wellbeing_is_asked_every_four_weeks_and_drawn_from_0_to_100(
    harness: Harness, runner_id: int
) -> None:
    preferences.save_preferences(harness.runtime, runner_id, {"wellbeing": True})

    wellbeing.record_answers(harness.runtime, runner_id, dict.fromkeys(FIVE, 4))

    page = wellbeing.load_page(harness.runtime, runner_id)
    assert [points for _, points in page.points] == [80]
    assert not page.is_due
    assert not page.offers_support
    with pytest.raises(WellbeingNotDue):
        wellbeing.record_answers(harness.runtime, runner_id, dict.fromkeys(FIVE, 4))
    harness.advance_clock(weeks=4)
    wellbeing.record_answers(harness.runtime, runner_id, dict.fromkeys(FIVE, 2))
    assert wellbeing.load_page(harness.runtime, runner_id).offers_support


def test_all_five_are_needed(harness: Harness, runner_id: int) -> None:
    preferences.save_preferences(harness.runtime, runner_id, {"wellbeing": True})

    with pytest.raises(InvalidAnswer):
        wellbeing.record_answers(harness.runtime, runner_id, {"who5_1": 3})


def test_no_mail_ever_asks_about_wellbeing(harness: Harness, runner_id: int) -> None:
    preferences.save_preferences(harness.runtime, runner_id, {"wellbeing": True})
    harness.advance_clock(days=30)
    harness.process_all_due()

    with harness.runtime.db.read_only() as session:
        kinds = set(session.scalars(select(Mail.kind)))
    assert kinds <= {"survey", "survey_reminder"}
    assert wellbeing.load_page(harness.runtime, runner_id).is_due
