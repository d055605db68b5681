"""The survey policy as a table."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.preferences import Preferences
from sync.surveys.policy.frequency import QuestionMail, RecentQuestion
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send, Suppress, count_sessions, decide_run
from sync.surveys.policy.situation import RunFacts, Situation
from sync.vocabulary import DecisionReason, MailKind

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def build_run(**changes: Any) -> RunFacts:
    usual: dict[str, Any] = {
        "run_id": 1,
        "started_at": NOON - HOUR,
        "ended_at": NOON - 10 * MINUTE,
        "learned_at": NOON,
        "local_day": date(2026, 5, 1),
        "distance_m": 8000.0,
        "moving_s": 3000,
        "is_manual": False,
    }
    return RunFacts(**(usual | changes))


def build_situation(**changes: Any) -> Situation:
    usual: dict[str, Any] = {
        "has_address": True,
        "preferences": Preferences(),
        "zone": ZoneInfo("UTC"),
        "recent_questions": (),
        "runs_at_once": 1,
        "is_newest": True,
        "runs_since_asked": 0,
    }
    return Situation(**(usual | changes))


def build_question(day: int, **changes: Any) -> RecentQuestion:
    """Return a question about a run of that many days after 24 April."""
    at = datetime(2026, 4, 24, 9, tzinfo=UTC) + timedelta(days=day)
    usual: dict[str, Any] = {
        "survey_id": day,
        "local_day": at.date(),
        "send_at": at,
        "is_sent": True,
        "run_day": at.date(),
        "answered_at": at + 10 * MINUTE,
    }
    return RecentQuestion(**(usual | changes))


def build_mails(
    *days: float, kind: MailKind = MailKind.SURVEY, sent: bool = True
) -> list[QuestionMail]:
    start = datetime(2026, 4, 24, 9, tzinfo=UTC)
    return [
        QuestionMail(int(day), kind, start + timedelta(days=day), is_sent=sent)
        for day in days
    ]


def test_a_fresh_run_is_asked_about_half_an_hour_after_its_end() -> None:
    verdict = decide_run(build_run(), build_situation(), Policy(), now=NOON)

    end = NOON - 10 * MINUTE
    assert verdict == Send(
        end + 30 * MINUTE,
        expires_at=end + 24 * HOUR,
        reason=DecisionReason.AFTER_RUN,
        local_day=NOON.date(),
        remind_at=end + 3 * HOUR + 30 * MINUTE,
    )


def test_a_run_learned_of_late_is_asked_about_now() -> None:
    late = build_run(started_at=NOON - 6 * HOUR, ended_at=NOON - 5 * HOUR)

    verdict = decide_run(late, build_situation(), Policy(), now=NOON)

    assert isinstance(verdict, Send)
    assert verdict.at == NOON


@pytest.mark.parametrize(
    ("facts", "situation", "reason"),
    [
        (build_run(is_imported=True), build_situation(), "before linking"),
        (build_run(), build_situation(has_address=False), "no confirmed address"),
        (
            build_run(),
            build_situation(preferences=Preferences(ask="never")),
            "stopped",
        ),
        (
            build_run(),
            build_situation(
                preferences=Preferences(paused_until="2026-05-02T00:00:00+00:00")
            ),
            "paused",
        ),
        (build_run(is_manual=True), build_situation(), "entered by hand"),
        (build_run(moving_s=8 * 60 - 1), build_situation(), "too short"),
        (build_run(distance_m=999.0), build_situation(), "too short"),
        (
            build_run(),
            build_situation(preferences=Preferences(ask="long-runs")),
            "only long runs",
        ),
        (
            build_run(started_at=NOON - 14 * HOUR, ended_at=NOON - 12 * HOUR - MINUTE),
            build_situation(),
            "too old",
        ),
        (build_run(), build_situation(was_asked_before=True), "asked before"),
        (
            build_run(),
            build_situation(runs_at_once=3, is_newest=False),
            "one of many at once",
        ),
        (
            build_run(),
            build_situation(recent_questions=[build_question(7)]),
            "one a day",
        ),
        (
            build_run(),
            build_situation(
                recent_questions=[build_question(7, answered_at=None, is_skipped=True)]
            ),
            "one a day",
        ),
        (
            build_run(),
            build_situation(
                recent_questions=[build_question(7, run_day=None, answered_at=None)]
            ),
            "one a day",
        ),
        (
            build_run(),
            build_situation(recent_mails=build_mails(1, 2, 3, 4, 5)),
            "enough this week",
        ),
        (
            build_run(),
            build_situation(
                recent_mails=build_mails(2, 4, 5)
                + build_mails(2.2, 4.2, kind=MailKind.SURVEY_REMINDER)
            ),
            "enough this week",
        ),
        (build_run(), build_situation(ignored_count=5), "five unanswered"),
        (
            build_run(),
            build_situation(preferences=Preferences(ask="waiting")),
            "waiting for your choice",
        ),
        (
            build_run(),
            build_situation(
                recent_questions=[build_question(1)],
                preferences=Preferences(ask="weekly"),
            ),
            "once a week",
        ),
        (
            build_run(),
            build_situation(
                recent_questions=[build_question(5)],
                preferences=Preferences(ask="every-other-run"),
            ),
            "every other run",
        ),
    ],
)
def test_why_a_run_is_not_asked_about(
    facts: RunFacts, situation: Situation, reason: str
) -> None:
    assert decide_run(facts, situation, Policy(), now=NOON) == Suppress(
        DecisionReason(reason)
    )


@pytest.mark.parametrize(
    ("facts", "situation"),
    [
        (build_run(), build_situation(runs_at_once=3, is_newest=True)),
        (
            build_run(is_manual=True),
            build_situation(preferences=Preferences(ask_manual=True)),
        ),
        (build_run(), build_situation(recent_mails=build_mails(2, 3, 4, 5))),
        (build_run(), build_situation(recent_mails=build_mails(-1, 2, 3, 4, 5))),
        (
            build_run(),
            build_situation(
                recent_mails=build_mails(1, 2, 3, 4, 5, kind=MailKind.CHECKIN)
            ),
        ),
        (build_run(), build_situation(ignored_count=4)),
        (
            build_run(),
            build_situation(
                recent_questions=[build_question(0)],
                preferences=Preferences(ask="weekly"),
            ),
        ),
        (
            build_run(distance_m=12_000.0),
            build_situation(preferences=Preferences(ask="long-runs")),
        ),
    ],
)
def test_runs_that_are_asked_about(facts: RunFacts, situation: Situation) -> None:
    assert isinstance(decide_run(facts, situation, Policy(), now=NOON), Send)


@pytest.mark.parametrize("sent", [False, True])
def test_a_second_run_takes_over_the_question_while_it_is_unanswered(
    sent: bool,
) -> None:
    first = build_question(7, is_sent=sent, answered_at=None)
    situation = build_situation(
        recent_questions=[first], recent_mails=build_mails(7, sent=sent)
    )

    verdict = decide_run(build_run(), situation, Policy(), now=NOON)

    assert isinstance(verdict, Send)
    assert verdict.replaced_survey_ids == (7,)


def test_a_question_that_moved_has_had_the_days_second_mail() -> None:
    first = build_question(7, answered_at=None)

    verdict = decide_run(
        build_run(),
        build_situation(recent_questions=[first], recent_mails=build_mails(7)),
        Policy(),
        now=NOON,
    )

    assert isinstance(verdict, Send)
    assert verdict.remind_at is None


def test_a_question_already_reminded_of_does_not_move() -> None:
    first = build_question(7, answered_at=None)
    both = build_mails(7) + build_mails(7, kind=MailKind.SURVEY_REMINDER)

    verdict = decide_run(
        build_run(),
        build_situation(recent_questions=[first], recent_mails=both),
        Policy(),
        now=NOON,
    )

    assert verdict == Suppress(DecisionReason.ONE_A_DAY)


def test_the_mail_of_the_morning_after_is_that_days_question() -> None:
    yesterdays = build_question(
        7, run_day=date(2026, 4, 30), answered_at=NOON - 2 * HOUR
    )

    verdict = decide_run(
        build_run(), build_situation(recent_questions=[yesterdays]), Policy(), now=NOON
    )

    assert verdict == Suppress(DecisionReason.ONE_A_DAY)


def test_a_check_in_not_yet_sent_gives_way_to_a_run() -> None:
    check_in = build_question(7, is_sent=False, run_day=None, answered_at=None)

    verdict = decide_run(
        build_run(), build_situation(recent_questions=[check_in]), Policy(), now=NOON
    )

    assert isinstance(verdict, Send)
    assert verdict.replaced_survey_ids == (7,)


@pytest.mark.parametrize(
    ("gap", "count"), [(2 * HOUR + 59 * MINUTE, 1), (3 * HOUR, 2), (9 * HOUR, 2)]
)
def test_a_short_break_does_not_end_a_session(gap: timedelta, count: int) -> None:
    morning = build_run(started_at=NOON, ended_at=NOON + HOUR)
    later = build_run(started_at=NOON + HOUR + gap, ended_at=NOON + 2 * HOUR + gap)

    assert count_sessions([later, morning], Policy()) == count
