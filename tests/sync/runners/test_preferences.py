"""What a runner changes holds at once, also for mails that wait already."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Consent, Decision, Mail, Runner
from sync.runners import preferences
from sync.runners.preferences import TooSoon, focus_fixed_until
from sync.surveys import unsubscribe
from tests.support.harness import Stage


@pytest.fixture
def runner_id(stage: Stage) -> int:
    athlete = stage.athlete()
    runner_id = stage.link(athlete)
    stage.work()
    stage.pass_time(hours=3)
    run = stage.run(athlete, ended_minutes_ago=5)
    stage.tell(athlete, run.id, "create")
    stage.work()
    return runner_id


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ask": "never"}, "stopped"),
        ({"paused_until": "2030-01-01T00:00:00+00:00"}, "paused"),
    ],
)
def test_a_mail_that_waits_is_called_off(
    stage: Stage, runner_id: int, changes: dict[str, str], reason: str
) -> None:
    preferences.save(stage.runtime, runner_id, changes)

    with stage.runtime.db.reading() as session:
        assert set(session.scalars(select(Mail.withheld_for))) == {reason}
        decision = session.scalars(select(Decision)).one()
    assert (decision.verdict, decision.reason) == ("withhold", reason)


@pytest.mark.parametrize("changes", [{"ask": "weekly"}, {"digest": True}])
def test_whoever_stopped_all_mails_and_wants_some_agrees_to_them_again(
    stage: Stage, runner_id: int, changes: dict[str, object]
) -> None:
    unsubscribe.stop(stage.runtime, unsubscribe.token_for(stage.runtime, runner_id))
    stopped = standing(stage)
    preferences.save(stage.runtime, runner_id, {"units": "mi"})
    unrelated = standing(stage)

    preferences.save(stage.runtime, runner_id, changes)

    assert "mail" not in stopped | unrelated
    assert "mail" in standing(stage)


def standing(stage: Stage) -> set[str]:
    with stage.runtime.db.reading() as session:
        return set(
            session.scalars(select(Consent.kind).where(Consent.withdrawn_at.is_(None)))
        )


def test_other_preferences_stay(stage: Stage, runner_id: int) -> None:
    preferences.save(stage.runtime, runner_id, {"units": "mi"})
    preferences.save(stage.runtime, runner_id, {"delay_min": 60})

    chosen = preferences.preferences(stage.runtime, runner_id)
    assert (chosen.units, chosen.delay_min) == ("mi", 60)
    with stage.runtime.db.reading() as session:
        assert set(session.scalars(select(Mail.withheld_for))) == {None}


def test_the_extra_question_stays_for_eight_weeks(stage: Stage, runner_id: int) -> None:
    preferences.save(stage.runtime, runner_id, {"focus": "clarity"})
    chosen = preferences.preferences(stage.runtime, runner_id)

    with pytest.raises(TooSoon, match=r"from 26 June on"):
        preferences.save(stage.runtime, runner_id, {"focus": "effort"})

    until = focus_fixed_until(chosen, now=stage.clock())
    assert until == stage.clock() + timedelta(weeks=8)
    stage.pass_time(weeks=8)
    preferences.save(stage.runtime, runner_id, {"focus": "effort"})
    assert preferences.preferences(stage.runtime, runner_id).focus == "effort"


def test_saving_the_same_extra_question_again_is_no_change(
    stage: Stage, runner_id: int
) -> None:
    preferences.save(stage.runtime, runner_id, {"focus": "clarity"})
    preferences.save(stage.runtime, runner_id, {"focus": "clarity"})

    with stage.runtime.db.reading() as session:
        stored = session.get_one(Runner, runner_id).preferences
    assert stored["focus"] == "clarity"
