"""What a runner changes holds at once, also for mails that wait already."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.models import Consent, Decision, Mail, Runner
from sync.runners import preferences
from sync.runners.preferences import FocusLocked, get_focus_lock_end
from sync.surveys import unsubscribe
from tests.support.harness import Harness


@pytest.fixture
def runner_id(harness: Harness) -> int:
    athlete = harness.add_athlete()
    runner_id = harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    run = harness.finish_run(athlete, ended_minutes_ago=5)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return runner_id


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ask": "never"}, "stopped"),
        ({"paused_until": "2030-01-01T00:00:00+00:00"}, "paused"),
    ],
)
def test_a_mail_that_waits_is_called_off(
    harness: Harness, runner_id: int, changes: dict[str, str], reason: str
) -> None:
    preferences.save_preferences(harness.runtime, runner_id, changes)

    with harness.runtime.db.read_only() as session:
        assert set(session.scalars(select(Mail.withheld_for))) == {reason}
        decision = session.scalars(select(Decision)).one()
    assert (decision.verdict, decision.reason) == ("withhold", reason)


@pytest.mark.parametrize("changes", [{"ask": "weekly"}, {"digest": True}])
def test_whoever_stopped_all_mails_and_wants_some_agrees_to_them_again(
    harness: Harness, runner_id: int, changes: dict[str, object]
) -> None:
    unsubscribe.stop_all_mails(
        harness.runtime, unsubscribe.create_token(harness.runtime, runner_id)
    )
    stopped = list_waiting_mails(harness)
    preferences.save_preferences(harness.runtime, runner_id, {"units": "mi"})
    unrelated = list_waiting_mails(harness)

    preferences.save_preferences(harness.runtime, runner_id, changes)

    assert "mail" not in stopped | unrelated
    assert "mail" in list_waiting_mails(harness)


def list_waiting_mails(harness: Harness) -> set[str]:
    with harness.runtime.db.read_only() as session:
        return set(
            session.scalars(select(Consent.kind).where(Consent.withdrawn_at.is_(None)))
        )


def test_other_preferences_stay(harness: Harness, runner_id: int) -> None:
    preferences.save_preferences(harness.runtime, runner_id, {"units": "mi"})
    preferences.save_preferences(harness.runtime, runner_id, {"delay_min": 60})

    chosen = preferences.load_preferences(harness.runtime, runner_id)
    assert (chosen.units, chosen.delay_min) == ("mi", 60)
    with harness.runtime.db.read_only() as session:
        assert set(session.scalars(select(Mail.withheld_for))) == {None}


def test_the_extra_question_stays_for_eight_weeks(
    harness: Harness, runner_id: int
) -> None:
    preferences.save_preferences(harness.runtime, runner_id, {"focus": "clarity"})
    chosen = preferences.load_preferences(harness.runtime, runner_id)

    with pytest.raises(FocusLocked, match=r"from 26 June on"):
        preferences.save_preferences(harness.runtime, runner_id, {"focus": "effort"})

    until = get_focus_lock_end(chosen, now=harness.clock())
    assert until == harness.clock() + timedelta(weeks=8)
    harness.advance_clock(weeks=8)
    preferences.save_preferences(harness.runtime, runner_id, {"focus": "effort"})
    assert preferences.load_preferences(harness.runtime, runner_id).focus == "effort"


def test_saving_the_same_extra_question_again_is_no_change(
    harness: Harness, runner_id: int
) -> None:
    preferences.save_preferences(harness.runtime, runner_id, {"focus": "clarity"})
    preferences.save_preferences(harness.runtime, runner_id, {"focus": "clarity"})

    with harness.runtime.db.read_only() as session:
        stored = session.get_one(Runner, runner_id).preferences
    assert stored.focus == "clarity"
