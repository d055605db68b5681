"""When mails about a run wait, and when none follows: a table too."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sync.preferences import Preferences
from sync.surveys.policy.frequency import (
    Response,
    count_ignored_questions,
    count_ignored_reminders,
)
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import (
    Send,
    Suppress,
    decide_run,
    minutes_since_end,
)
from sync.surveys.policy.situation import RunFacts, Situation
from sync.vocabulary import DecisionReason
from tests.sync.surveys.test_run_decision import (
    HOUR,
    NOON,
    build_mails,
    build_run,
    build_situation,
)


@pytest.mark.parametrize(
    ("facts", "situation"),
    [
        (
            build_run(started_at=NOON - 5 * HOUR, ended_at=NOON - 4 * HOUR),
            build_situation(),
        ),
        (build_run(), build_situation(preferences=Preferences(reminders=False))),
        (build_run(), build_situation(ignored_reminder_count=2)),
        (build_run(), build_situation(recent_mails=build_mails(2, 3, 4, 5))),
        (build_run(), build_situation(preferences=Preferences(quiet_from="15:00"))),
    ],
)
def test_when_there_is_no_reminder(facts: RunFacts, situation: Situation) -> None:
    verdict = decide_run(facts, situation, Policy(), now=NOON)

    assert isinstance(verdict, Send)
    assert verdict.remind_at is None


def test_silence_is_counted_back_to_the_last_sign_of_life() -> None:
    ignored = Response(is_answered=False, is_expired=True, had_reminder=True)
    still_open = Response(is_answered=False, is_expired=False, had_reminder=False)
    answered = Response(is_answered=True, is_expired=True, had_reminder=True)
    plain = Response(is_answered=False, is_expired=True, had_reminder=False)
    history = [still_open, ignored, plain, answered, ignored]

    assert count_ignored_questions(history) == 2
    assert count_ignored_reminders(history) == 1


def test_minutes_since_the_end_are_unknown_when_the_start_is_hidden() -> None:
    assert minutes_since_end(build_run(ended_at=None), now=NOON) is None


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
    facts = build_run(started_at=end - HOUR, ended_at=end)
    situation = build_situation(zone=ZoneInfo(zone))

    verdict = decide_run(facts, situation, Policy(), now=end)

    assert isinstance(verdict, Send)
    assert verdict.at == datetime.fromisoformat(sent).replace(tzinfo=UTC)


def test_a_mail_that_would_be_too_old_in_the_morning_is_not_sent() -> None:
    end = datetime(2026, 5, 1, 11, tzinfo=UTC)
    facts = build_run(started_at=end - HOUR, ended_at=end)

    verdict = decide_run(facts, build_situation(), Policy(), now=end + 11 * HOUR)

    assert verdict == Suppress(DecisionReason.QUIET_HOURS)
