"""When an event is tried again, settled without a run, or parked for its host."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.backoff import MAX_ATTEMPTS
from sync.errors import (
    AccessRevoked,
    NotOnStrava,
    RateLimited,
    ScopeMissing,
    StravaUnavailable,
    TryLater,
)
from sync.inbox.rules import LIST_INTERVAL, decide_retry

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("error", "attempts", "waits", "parked_for"),
    [
        (AccessRevoked(), 1, None, "AccessRevoked"),
        (ScopeMissing(), 1, None, "ScopeMissing"),
        (TryLater("", MINUTE), 1, MINUTE, None),
        (TryLater("", MINUTE), 99, MINUTE, None),
        (StravaUnavailable(), 2, MINUTE, None),
        (StravaUnavailable(), MAX_ATTEMPTS - 1, 60 * MINUTE, None),
        (StravaUnavailable(), MAX_ATTEMPTS, None, "StravaUnavailable"),
        (ZeroDivisionError(), MAX_ATTEMPTS - 1, 60 * MINUTE, None),
        (ZeroDivisionError(), MAX_ATTEMPTS, None, "ZeroDivisionError"),
    ],
)
def test_each_failure_has_its_next_step(
    error: Exception,
    attempts: int,
    waits: timedelta | None,
    parked_for: str | None,
) -> None:
    retry = decide_retry(
        error, attempts=attempts, misses=0, is_doubtful=False, now=NOON
    )

    assert (retry.due_at and retry.due_at - NOON) == waits
    assert retry.failed_reason == parked_for


@pytest.mark.parametrize(
    ("misses", "is_doubtful", "waits"),
    [
        (1, False, MINUTE / 2),
        (2, False, 2 * MINUTE),
        (3, False, 10 * MINUTE),
        (4, False, None),
        (1, True, LIST_INTERVAL),
        (2, True, None),
    ],
)
def test_what_strava_does_not_show_is_looked_for_again_and_then_settled(
    misses: int, is_doubtful: bool, waits: timedelta | None
) -> None:
    retry = decide_retry(
        NotOnStrava(), attempts=99, misses=misses, is_doubtful=is_doubtful, now=NOON
    )

    assert (retry.due_at and retry.due_at - NOON) == waits
    assert retry.failed_reason is None


def test_whoever_waits_for_the_limit_comes_soon_after_it() -> None:
    retry = decide_retry(
        RateLimited(NOON + 9 * MINUTE),
        attempts=1,
        misses=0,
        is_doubtful=False,
        now=NOON,
    )

    assert retry.due_at is not None
    assert 9 * MINUTE < retry.due_at - NOON < 10 * MINUTE
    assert retry.failed_reason is None
