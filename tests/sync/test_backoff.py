"""When what failed is tried again: soon at first, then at longer and longer waits."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.backoff import FIRST_WAIT_S, MAX_ATTEMPTS, MAX_WAIT, next_attempt_at
from sync.errors import RateLimited, StravaUnavailable

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def wait_after(error: Exception, attempts: int) -> timedelta:
    return next_attempt_at(error, attempts=attempts, now=NOW) - NOW


@pytest.mark.parametrize("attempts", [0, 1])
def test_the_first_failure_of_strava_costs_some_seconds(attempts: int) -> None:
    waits = {wait_after(StravaUnavailable(), attempts) for _ in range(50)}

    low_s, high_s = FIRST_WAIT_S
    assert all(timedelta(seconds=low_s) <= wait for wait in waits)
    assert all(wait <= timedelta(seconds=high_s) for wait in waits)
    assert len(waits) > 1  # not all runners at once


def test_then_a_minute_and_then_slower() -> None:
    minutes = [
        wait_after(StravaUnavailable(), attempts) / timedelta(minutes=1)
        for attempts in range(2, MAX_ATTEMPTS)
    ]

    assert minutes[:6] == [1, 2, 4, 8, 16, 32]
    assert max(minutes) == MAX_WAIT / timedelta(minutes=1)


def test_a_limit_is_waited_for_whatever_the_attempt() -> None:
    until = NOW + timedelta(minutes=9)

    assert NOW + wait_after(RateLimited(until), 1) >= until


def test_a_mistake_of_ours_is_no_hurry() -> None:
    assert wait_after(ZeroDivisionError(), 1) == timedelta(minutes=1)
