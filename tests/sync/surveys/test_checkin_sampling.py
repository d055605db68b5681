"""Which days get a check-in, and when."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.crypto import Sealer
from sync.preferences import Preferences
from sync.surveys.policy.checkin_sampling import (
    CheckinDay,
    DrawOutcome,
    Uniforms,
    choose_focus,
    draw_checkin,
    draw_time_of_day,
)
from sync.surveys.policy.frequency import QuestionMail, RecentQuestion
from sync.surveys.policy.parameters import Policy
from sync.vocabulary import DrawReason, KeyUse, MailKind

TODAY = date(2026, 5, 6)
MIDNIGHT = datetime(2026, 5, 6, tzinfo=UTC)
YES = Uniforms(inclusion=0.0, timing=0.5)


def build_day(**changes: Any) -> CheckinDay:
    usual: dict[str, Any] = {
        "local_day": TODAY,
        "zone": ZoneInfo("UTC"),
        "preferences": Preferences(),
        "answer_times": [],
        "recent_questions": [],
        "recent_mails": [],
    }
    return CheckinDay(**(usual | changes))


def test_a_drawn_day_gets_its_question_in_the_afternoon() -> None:
    outcome = draw_checkin(build_day(), YES, Policy(), now=MIDNIGHT)

    assert outcome == DrawOutcome(
        True, DrawReason.DRAWN, MIDNIGHT + timedelta(hours=16)
    )


def test_two_days_of_seven_are_drawn() -> None:
    sealer = Sealer(["a key for tests that is long enough"])
    signatures = [
        sealer.signatures(KeyUse.CHECKIN_DRAWS, str(n))[0] for n in range(7000)
    ]

    drawn = [
        draw_checkin(
            build_day(), Uniforms.from_signature(signature), Policy(), now=MIDNIGHT
        ).is_drawn
        for signature in signatures
    ]

    assert sum(drawn) / len(drawn) == pytest.approx(2 / 7, abs=0.01)


def test_the_time_is_one_at_which_the_runner_answers() -> None:
    answered = [time(7, 40), time(8, 10), time(18, 5), time(19), time(19, 30)]

    times = {draw_time_of_day(answered, when / 100, Policy()) for when in range(100)}

    assert times == set(answered)


@pytest.mark.parametrize(
    ("today", "reason"),
    [
        (
            build_day(
                recent_questions=[
                    RecentQuestion(1, TODAY, MIDNIGHT, is_sent=False, run_day=TODAY)
                ]
            ),
            "one a day",
        ),
        (
            build_day(
                recent_mails=[
                    QuestionMail(
                        1, MailKind.SURVEY, MIDNIGHT + timedelta(hours=9), True
                    )
                ]
            ),
            "one a day",
        ),
        (
            build_day(
                recent_mails=[
                    QuestionMail(
                        n, MailKind.CHECKIN, MIDNIGHT - timedelta(days=n), is_sent=True
                    )
                    for n in (2, 4)
                ]
            ),
            "enough this week",
        ),
        (
            build_day(preferences=Preferences(quiet_from="12:00", quiet_until="07:00")),
            "quiet hours",
        ),
    ],
)
def test_what_speaks_against_asking_is_noted(today: CheckinDay, reason: str) -> None:
    assert draw_checkin(today, YES, Policy(), now=MIDNIGHT) == DrawOutcome(
        True, DrawReason(reason)
    )


def test_a_time_that_has_passed_is_not_made_up_for() -> None:
    evening = MIDNIGHT + timedelta(hours=20)

    assert draw_checkin(build_day(), YES, Policy(), now=evening) == DrawOutcome(
        True, DrawReason.TOO_LATE
    )


@pytest.mark.parametrize(
    ("hour", "chosen", "asked"),
    [(9, "sleep", "sleep"), (15, "sleep", "control"), (9, "confidence", "confidence")],
)
def test_last_night_is_asked_about_before_noon_only(
    hour: int, chosen: str, asked: str
) -> None:
    at = MIDNIGHT + timedelta(hours=hour)

    assert choose_focus(at, chosen, ZoneInfo("UTC")) == asked


@given(
    whether=st.floats(0, 0.28),
    when=st.floats(0, 0.999),
    answered=st.lists(st.times(), max_size=20),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    start=st.times(),
    end=st.times(),
)
def test_no_check_in_falls_into_the_night_or_another_day(
    *,
    whether: float,
    when: float,
    answered: list[time],
    zone: str,
    start: time,
    end: time,
) -> None:
    quiet = Preferences(quiet_from=f"{start:%H:%M}", quiet_until=f"{end:%H:%M}")
    place = ZoneInfo(zone)
    now = datetime.combine(TODAY, time(), tzinfo=place).astimezone(UTC)
    today = build_day(zone=place, preferences=quiet, answer_times=answered)

    outcome = draw_checkin(today, Uniforms(whether, when), Policy(), now=now)

    assert outcome.is_drawn
    if outcome.at is not None:
        local = outcome.at.astimezone(place)
        assert local.date() == TODAY
        assert not _is_quiet(local.time(), *quiet.quiet_hours)


def _is_quiet(clock: time, starts_at: time, ends_at: time) -> bool:
    if starts_at <= ends_at:
        return starts_at <= clock < ends_at
    return clock >= starts_at or clock < ends_at
