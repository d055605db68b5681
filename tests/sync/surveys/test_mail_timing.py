"""When mails about a run wait, and when none follows: a table too."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sync.preferences import Preferences
from sync.surveys.policy.frequency import Silence, ignored_in_a_row, reminders_ignored
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import (
    RunFacts,
    Send,
    Situation,
    Withhold,
    decide,
    minutes_since_end,
)
from tests.sync.surveys.test_run_decision import HOUR, NOON, mailed, run, runner


@pytest.mark.parametrize(
    ("facts", "situation"),
    [
        (run(started_at=NOON - 5 * HOUR, ended_at=NOON - 4 * HOUR), runner()),
        (run(), runner(preferences=Preferences(reminders=False))),
        (run(), runner(reminders_ignored=2)),
        (run(), runner(mailed=mailed(2, 3, 4, 5))),
        (run(), runner(preferences=Preferences(quiet_from="15:00"))),
    ],
)
def test_when_there_is_no_reminder(facts: RunFacts, situation: Situation) -> None:
    verdict = decide(facts, situation, Policy(), now=NOON)

    assert isinstance(verdict, Send)
    assert verdict.remind_at is None


def test_silence_is_counted_back_to_the_last_sign_of_life() -> None:
    ignored = Silence(is_answered=False, is_over=True, is_reminded=True)
    still_open = Silence(is_answered=False, is_over=False, is_reminded=False)
    answered = Silence(is_answered=True, is_over=True, is_reminded=True)
    plain = Silence(is_answered=False, is_over=True, is_reminded=False)
    history = [still_open, ignored, plain, answered, ignored]

    assert ignored_in_a_row(history) == 2
    assert reminders_ignored(history) == 1


def test_minutes_since_the_end_are_unknown_when_the_start_is_hidden() -> None:
    assert minutes_since_end(run(ended_at=None), now=NOON) is None


@pytest.mark.parametrize(
    ("ended", "zone", "sent"),
    [
        ("2026-05-01T20:50", "UTC", "2026-05-01T21:20"),
        ("2026-05-01T21:10", "UTC", "2026-05-02T07:00"),
        ("2026-05-01T23:50", "UTC", "2026-05-02T07:00"),
        ("2026-05-02T04:00", "UTC", "2026-05-02T07:00"),
        ("2026-05-01T20:50", "Europe/Berlin", "2026-05-02T05:00"),
        # The clocks go forward in the night of 28 March: 07:00 is 05:00 UTC.
        ("2026-03-28T21:50", "Europe/Berlin", "2026-03-29T05:00"),
    ],
)
def test_quiet_hours_are_those_of_the_runner(ended: str, zone: str, sent: str) -> None:
    end = datetime.fromisoformat(ended).replace(tzinfo=UTC)
    facts = run(started_at=end - HOUR, ended_at=end)
    situation = runner(zone=ZoneInfo(zone))

    verdict = decide(facts, situation, Policy(), now=end)

    assert isinstance(verdict, Send)
    assert verdict.at == datetime.fromisoformat(sent).replace(tzinfo=UTC)


def test_a_mail_that_would_be_too_old_in_the_morning_is_not_sent() -> None:
    end = datetime(2026, 5, 1, 11, tzinfo=UTC)
    facts = run(started_at=end - HOUR, ended_at=end)

    verdict = decide(facts, runner(), Policy(), now=end + 11 * HOUR)

    assert verdict == Withhold("quiet hours")
