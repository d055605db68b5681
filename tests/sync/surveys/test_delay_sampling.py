"""Which delays are offered after a run, and with what odds one is drawn."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mail.quiet_hours import defer_past_quiet_hours
from sync.preferences import Preferences
from sync.surveys.policy.delay_sampling import (
    draw_delay,
    list_offered_delays,
    plan_delayed_question,
)
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send
from tests.sync.surveys.test_policy_properties import draw_situations, moments
from tests.sync.surveys.test_run_decision import (
    HOUR,
    MINUTE,
    NOON,
    build_mails,
    build_question,
    build_run,
    build_situation,
)

POLICY = Policy()
ON = Preferences(random_delay=True)


def list_offered(
    ended_at: datetime, *, learned_after: timedelta = MINUTE, **changes: Any
) -> tuple[int, ...]:
    run = build_run(started_at=ended_at - HOUR, ended_at=ended_at)
    situation = build_situation(**{"preferences": ON} | changes)
    return list_offered_delays(run, situation, POLICY, now=ended_at + learned_after)


@pytest.mark.parametrize(
    ("hour", "offered"),
    [
        (8, (0, 1, 2, 4, 6)),
        (15, (0, 1, 2, 4, 6)),
        (16, (0, 1, 2, 4)),
        (19, (0, 1, 2)),
        (21, (0,)),
        (22, ()),
    ],
)
def test_quiet_hours_cut_the_late_ones_off(hour: int, offered: tuple[int, ...]) -> None:
    assert list_offered(NOON.replace(hour=hour)) == offered


@pytest.mark.parametrize(
    ("learned_after", "offered"),
    [
        (30 * MINUTE, (0, 1, 2, 4, 6)),
        (31 * MINUTE, (1, 2, 4, 6)),
        (2 * HOUR, (2, 4, 6)),
        (5 * HOUR, (6,)),
        (7 * HOUR, ()),
    ],
)
def test_what_is_past_when_we_hear_of_the_run_is_not_offered(
    learned_after: timedelta, offered: tuple[int, ...]
) -> None:
    offered_h = list_offered(NOON.replace(hour=8), learned_after=learned_after)

    assert offered_h == offered


def test_no_delay_leads_into_the_next_day() -> None:
    owl = Preferences(random_delay=True, quiet_from="04:00", quiet_until="10:00")

    assert list_offered(NOON.replace(hour=21), preferences=owl) == (0, 1, 2)


def test_a_run_whose_end_is_hidden_has_none() -> None:
    run = build_run(ended_at=None)

    assert list_offered_delays(run, build_situation(), POLICY, now=NOON) == ()


def test_a_limit_on_mails_cuts_the_early_ones_off() -> None:
    # The fifth mail of a week leaves the window at 13:00.
    mails = build_mails(0.0, 0.04, 0.08, 0.12, 4 / 24)
    week_later = datetime(2026, 5, 1, 8, 30, tzinfo=NOON.tzinfo)

    offered = list_offered(week_later, recent_mails=mails)

    assert offered == (1, 2, 4, 6)


def test_a_closed_day_offers_nothing() -> None:
    assert list_offered(NOON, recent_questions=[build_question(7)]) == ()


def test_each_offered_delay_is_as_likely() -> None:
    offered = (0, 1, 2, 4, 6)

    drawn = [draw_delay(offered, step / 1000) for step in range(1000)]

    assert Counter(draw.delay_h for draw in drawn) == dict.fromkeys(offered, 200)
    assert drawn[0].odds == pytest.approx(dict.fromkeys(offered, 0.2))


def test_the_odds_are_of_what_was_left() -> None:
    assert draw_delay((0, 1, 2), 0.999).odds == pytest.approx(
        {0: 1 / 3, 1: 1 / 3, 2: 1 / 3}
    )


def test_a_drawn_question_has_no_reminder() -> None:
    run, situation = build_run(), build_situation(preferences=ON)

    plan = plan_delayed_question(run, situation, POLICY, delay_h=1, now=NOON)

    assert isinstance(plan, Send)
    assert plan.at == NOON - 10 * MINUTE + HOUR
    assert plan.remind_at is None


@given(st.data())
def test_every_offered_delay_keeps_every_promise(data: st.DataObject) -> None:
    now = data.draw(moments)
    situation = data.draw(draw_situations(now))
    ended_at = now - timedelta(minutes=data.draw(st.integers(-5, 700)))
    local_day: date = ended_at.astimezone(situation.zone).date()
    run = build_run(
        started_at=ended_at - HOUR,
        ended_at=ended_at,
        learned_at=now,
        local_day=local_day,
    )

    for delay_h in list_offered_delays(run, situation, POLICY, now=now):
        plan = plan_delayed_question(run, situation, POLICY, delay_h=delay_h, now=now)
        assert isinstance(plan, Send)
        awake_at = defer_past_quiet_hours(
            plan.at, situation.preferences.quiet_hours, situation.zone
        )
        assert plan.at == awake_at >= now
        assert plan.at.astimezone(situation.zone).date() == local_day
        assert plan.at < plan.expires_at
