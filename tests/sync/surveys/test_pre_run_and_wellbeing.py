"""What a runner says unasked: a feeling before a run, a look every four weeks."""

import pytest
from sqlalchemy import select

from sync.crypto import pairing_key
from sync.models import Answer, Mail, Run
from sync.runners import preferences
from sync.simulator.records import Athlete
from sync.surveys.answering import pre_run, wellbeing
from sync.surveys.answering.pre_run import NotYours
from sync.surveys.answering.wellbeing import NotNow
from sync.surveys.instruments import BadAnswer
from tests.support.harness import Stage

FIVE = ("who5_1", "who5_2", "who5_3", "who5_4", "who5_5")


@pytest.fixture
def athlete(stage: Stage) -> Athlete:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    stage.pass_time(hours=3)
    return athlete


@pytest.fixture
def runner_id(stage: Stage, athlete: Athlete) -> int:
    stage.runtime.settings.data_dir.mkdir(exist_ok=True)
    return 1


def ran(stage: Stage, athlete: Athlete) -> None:
    run = stage.run(athlete, ended_minutes_ago=1, moving_s=1800)
    stage.tell(athlete, run.id, "create")
    stage.work()


def befores(stage: Stage) -> list[Answer]:
    with stage.runtime.db.reading() as session:
        return list(session.scalars(select(Answer).where(Answer.kind == "before")))


@pytest.mark.parametrize(("hours", "paired"), [(1, True), (2.9, True), (3.1, False)])
def test_a_before_is_paired_with_the_run_that_starts_soon(
    stage: Stage, athlete: Athlete, hours: float, paired: bool
) -> None:
    token = pre_run.token_for(stage.runtime, 1)
    pre_run.record(stage.runtime, token=token, mood=-1)
    stage.pass_time(hours=hours, minutes=31)

    ran(stage, athlete)

    [said] = befores(stage)
    with stage.runtime.db.reading() as session:
        run = session.scalars(select(Run)).one()
    expected = {"paired_with": pairing_key(run.source, run.source_id)}
    assert said.tags == (expected if paired else {})


def test_a_before_belongs_to_one_run_only(stage: Stage, athlete: Athlete) -> None:
    pre_run.record(stage.runtime, token=pre_run.token_for(stage.runtime, 1), mood=0)
    stage.pass_time(minutes=40)
    ran(stage, athlete)
    first = befores(stage)[0].tags
    stage.pass_time(minutes=60)

    ran(stage, athlete)

    assert befores(stage)[0].tags == first


def test_a_second_tap_corrects_the_first(stage: Stage, athlete: Athlete) -> None:
    token = pre_run.token_for(stage.runtime, 1)
    pre_run.record(stage.runtime, token=token, mood=-1)
    stage.pass_time(minutes=5)
    pre_run.record(stage.runtime, token=token, mood=1)
    stage.pass_time(minutes=30)
    pre_run.record(stage.runtime, token=token, mood=2)

    assert len(befores(stage)) == 2


@pytest.mark.parametrize("token", ["", "1-", "1-00", "2-ab", "x"])
def test_a_forged_bookmark_says_nothing(
    stage: Stage, athlete: Athlete, token: str
) -> None:
    with pytest.raises(NotYours):
        pre_run.record(stage.runtime, token=token, mood=1)

    assert befores(stage) == []


def test_what_is_no_mood_is_refused(stage: Stage, athlete: Athlete) -> None:
    with pytest.raises(BadAnswer):
        pre_run.record(stage.runtime, token=pre_run.token_for(stage.runtime, 1), mood=3)


def test_wellbeing_is_off_until_it_is_switched_on(stage: Stage, runner_id: int) -> None:
    assert not wellbeing.look(stage.runtime, runner_id).is_on

    with pytest.raises(NotNow):
        wellbeing.record(stage.runtime, runner_id, dict.fromkeys(FIVE, 3))


def test_wellbeing_is_asked_every_four_weeks_and_drawn_from_0_to_100(
    stage: Stage, runner_id: int
) -> None:
    preferences.save(stage.runtime, runner_id, {"wellbeing": True})

    wellbeing.record(stage.runtime, runner_id, dict.fromkeys(FIVE, 4))

    page = wellbeing.look(stage.runtime, runner_id)
    assert [points for _, points in page.points] == [80]
    assert not page.is_due
    assert not page.offers_support
    with pytest.raises(NotNow):
        wellbeing.record(stage.runtime, runner_id, dict.fromkeys(FIVE, 4))
    stage.pass_time(weeks=4)
    wellbeing.record(stage.runtime, runner_id, dict.fromkeys(FIVE, 2))
    assert wellbeing.look(stage.runtime, runner_id).offers_support


def test_all_five_are_needed(stage: Stage, runner_id: int) -> None:
    preferences.save(stage.runtime, runner_id, {"wellbeing": True})

    with pytest.raises(BadAnswer):
        wellbeing.record(stage.runtime, runner_id, {"who5_1": 3})


def test_no_mail_ever_asks_about_wellbeing(stage: Stage, runner_id: int) -> None:
    preferences.save(stage.runtime, runner_id, {"wellbeing": True})
    stage.pass_time(days=30)
    stage.work()

    with stage.runtime.db.reading() as session:
        kinds = set(session.scalars(select(Mail.kind)))
    assert kinds <= {"survey", "survey_reminder"}
    assert wellbeing.look(stage.runtime, runner_id).is_due
