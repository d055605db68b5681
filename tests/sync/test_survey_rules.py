"""The survey policy as a table."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.surveys.policy import Policy, Preferences
from sync.surveys.rules import Asked, RunFacts, Send, Situation, Withhold, decide

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def run(**changes: Any) -> RunFacts:
    usual: dict[str, Any] = {
        "run_id": 1,
        "started_at": NOON - HOUR,
        "ended_at": NOON - 10 * MINUTE,
        "learned_at": NOON,
        "local_day": date(2026, 5, 1),
        "distance_m": 8000.0,
        "moving_s": 3000,
        "manual": False,
    }
    return RunFacts(**(usual | changes))


def runner(**changes: Any) -> Situation:
    usual: dict[str, Any] = {
        "linked_at": NOON - 240 * HOUR,
        "has_address": True,
        "preferences": Preferences(),
        "zone": ZoneInfo("UTC"),
        "asked": (),
        "runs_at_once": 1,
        "is_newest": True,
        "runs_since_asked": 0,
    }
    return Situation(**(usual | changes))


def asked(day: int, *, sent: bool = True) -> Asked:
    at = datetime(2026, 4, 24, 12, tzinfo=UTC) + timedelta(days=day, minutes=1)
    return Asked(day, at.date(), at, sent, is_answered=False)


def test_a_fresh_run_is_asked_about_half_an_hour_after_its_end() -> None:
    verdict = decide(run(), runner(), Policy(), now=NOON)

    end = NOON - 10 * MINUTE
    assert verdict == Send(
        end + 30 * MINUTE, expires_at=end + 24 * HOUR, reason="after the run"
    )


def test_a_run_learned_of_late_is_asked_about_now() -> None:
    late = run(started_at=NOON - 6 * HOUR, ended_at=NOON - 5 * HOUR)

    verdict = decide(late, runner(), Policy(), now=NOON)

    assert isinstance(verdict, Send)
    assert verdict.at == NOON


@pytest.mark.parametrize(
    ("facts", "situation", "reason"),
    [
        (run(), runner(linked_at=NOON), "before linking"),
        (run(), runner(has_address=False), "no confirmed address"),
        (run(), runner(preferences=Preferences(ask="never")), "stopped"),
        (
            run(),
            runner(preferences=Preferences(paused_until="2026-05-02T00:00:00+00:00")),
            "paused",
        ),
        (run(manual=True), runner(), "entered by hand"),
        (run(moving_s=8 * 60 - 1), runner(), "too short"),
        (run(distance_m=999.0), runner(), "too short"),
        (run(), runner(preferences=Preferences(ask="long-runs")), "only long runs"),
        (
            run(started_at=NOON - 14 * HOUR, ended_at=NOON - 12 * HOUR - MINUTE),
            runner(),
            "too old",
        ),
        (run(), runner(asked_before=True), "asked before"),
        (run(), runner(runs_at_once=3, is_newest=False), "one of many at once"),
        (run(), runner(asked=[asked(7)]), "one a day"),
        (run(), runner(asked=[asked(d) for d in range(2, 7)]), "enough this week"),
        (
            run(),
            runner(asked=[asked(5)], preferences=Preferences(ask="every-other-run")),
            "every other run",
        ),
    ],
)
def test_why_a_run_is_not_asked_about(
    facts: RunFacts, situation: Situation, reason: str
) -> None:
    assert decide(facts, situation, Policy(), now=NOON) == Withhold(reason)


@pytest.mark.parametrize(
    ("facts", "situation"),
    [
        (run(), runner(runs_at_once=3, is_newest=True)),
        (run(manual=True), runner(preferences=Preferences(ask_manual=True))),
        (run(), runner(asked=[asked(d) for d in range(3, 7)])),
        (
            run(distance_m=12_000.0),
            runner(preferences=Preferences(ask="long-runs")),
        ),
    ],
)
def test_runs_that_are_asked_about(facts: RunFacts, situation: Situation) -> None:
    assert isinstance(decide(facts, situation, Policy(), now=NOON), Send)


def test_the_second_run_of_a_day_replaces_a_survey_not_yet_sent() -> None:
    verdict = decide(run(), runner(asked=[asked(7, sent=False)]), Policy(), now=NOON)

    assert isinstance(verdict, Send)
    assert verdict.replaces == 7


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
    situation = runner(zone=ZoneInfo(zone), linked_at=datetime(2026, 1, 1, tzinfo=UTC))

    verdict = decide(facts, situation, Policy(), now=end)

    assert isinstance(verdict, Send)
    assert verdict.at == datetime.fromisoformat(sent).replace(tzinfo=UTC)


def test_a_mail_that_would_be_too_old_in_the_morning_is_not_sent() -> None:
    end = datetime(2026, 5, 1, 11, tzinfo=UTC)
    facts = run(started_at=end - HOUR, ended_at=end)

    verdict = decide(facts, runner(), Policy(), now=end + 11 * HOUR)

    assert verdict == Withhold("quiet hours")
