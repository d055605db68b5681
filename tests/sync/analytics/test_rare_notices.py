"""Notices are rare, and help is offered without a name for anything."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sync.analytics.sentences.milestones import Outcome
from sync.analytics.sentences.rare_notices import (
    detect_mileage_increase,
    find_current_notice,
    is_mostly_low,
    rate_limit,
)
from sync.analytics.stats.series import Floats
from sync.support.directory import find_helplines, list_countries

TODAY = 1000
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = np.arange(TODAY - 69, TODAY + 1, dtype=float)
RECENT = DAYS > TODAY - 14


def running(recent: float) -> tuple[Floats, Floats]:
    return DAYS, np.where(RECENT, recent, 5000.0)


def moods(recent: float) -> tuple[Floats, Floats]:
    wave = np.resize([1.0, 0.0, 1.0, 2.0], len(DAYS))
    return DAYS, np.where(RECENT, recent, wave)


def test_much_more_running_with_lower_answers_is_noticed() -> None:
    found = detect_mileage_increase(*running(7000.0), *moods(-1.0), TODAY)

    assert found is not None
    assert (found.recent_m, found.usual_m) == (49_000, 35_000)


@pytest.mark.parametrize(
    ("run_m", "mood"),
    [(5500.0, -1.0), (7000.0, 0.5), (7000.0, 2.0)],
    ids=["hardly more", "hardly lower", "higher"],
)
def test_less_than_that_is_not(run_m: float, mood: float) -> None:
    assert detect_mileage_increase(*running(run_m), *moods(mood), TODAY) is None


def test_one_good_week_of_the_two_is_enough_to_be_quiet() -> None:
    days, mood = moods(-2.0)
    mood = np.where(days > TODAY - 7, 2.0, mood)

    assert detect_mileage_increase(*running(7000.0), days, mood, TODAY) is None


def test_few_answers_notice_nothing() -> None:
    days, mood = moods(-1.0)
    some = ~RECENT | (days > TODAY - 3)

    assert (
        detect_mileage_increase(*running(7000.0), days[some], mood[some], TODAY) is None
    )
    assert (
        detect_mileage_increase(*running(7000.0), days[RECENT], mood[RECENT], TODAY)
        is None
    )


def test_whoever_began_lately_has_no_usual_to_run_more_than() -> None:
    days, metres = running(7000.0)
    lately = days > TODAY - 14 - 50

    found = detect_mileage_increase(days[lately], metres[lately], *moods(-1.0), TODAY)

    assert found is None


@pytest.mark.parametrize(
    ("answers", "days", "low"),
    [
        ([-1, -1, 0, -1, -2], [0, 3, 6, 9, 12], True),
        ([-1, -1, 0, 0, 1], [0, 3, 6, 9, 12], False),
        ([-1, -1, -1, -1, -1], [0, 1, 2, 3, 4], False),
        ([-1, -1, -1, -1], [0, 4, 8, 12], False),
        ([2, 2, -2, -2, -2], [0, 1, 2, 3, 4], True),
        ([-2, -2, 1, -2], [0, 1, 2, 3], False),
        ([], [], False),
    ],
)
def test_help_is_offered_after_mostly_low_answers(
    answers: list[int], days: list[int], low: bool
) -> None:
    assert is_mostly_low(answers, days, today=14) is low


def test_low_answers_of_long_ago_are_not_the_last_ones() -> None:
    assert not is_mostly_low([-2, -2, -2], [0, 1, 2], today=60)


def test_a_notice_lasts_a_week_and_then_rests() -> None:
    fires = {"support": Outcome("support")}
    begun = rate_limit(None, fires, now=NOON)

    on = [
        find_current_notice(
            rate_limit(begun, fires, now=NOON + days * DAY),
            "support",
            now=NOON + days * DAY,
        )
        is not None
        for days in (0, 6, 7, 13, 14)
    ]

    assert on == [True, True, False, False, True]


def test_every_runner_has_a_row_for_rare_things_and_it_stays_the_same() -> None:
    first = rate_limit(None, {}, now=NOON)

    assert rate_limit(first, {}, now=NOON + DAY) is first
    assert find_current_notice(first, "support", now=NOON) is None


def test_every_country_has_lines_and_an_emergency_number() -> None:
    for country in list_countries():
        found = find_helplines(country)

        assert found.country == country
        assert found.emergency
        assert found.lines


def test_an_unknown_country_gets_the_pages_that_know_them_all() -> None:
    names = [line.name for line in find_helplines("XX").lines]

    assert names == ["Find A Helpline", "Befrienders Worldwide"]
    assert find_helplines(None) == find_helplines("XX")


def test_every_countrys_numbers_name_the_page_they_were_compared_with() -> None:
    for country in (*list_countries(), None):
        assert find_helplines(country).source.startswith("http")
