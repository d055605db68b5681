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
from sync.inbox.rules import decide_retry

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("error", "attempts", "waits", "parked_for"),
    [
        (NotOnStrava(), 1, MINUTE / 2, None),
        (NotOnStrava(), 2, 2 * MINUTE, None),
        (NotOnStrava(), 3, 10 * MINUTE, None),
        (NotOnStrava(), 4, None, None),
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
    retry = decide_retry(error, attempts=attempts, now=NOON)

    assert (retry.due_at and retry.due_at - NOON) == waits
    assert retry.failed_reason == parked_for


def test_whoever_waits_for_the_limit_comes_soon_after_it() -> None:
    retry = decide_retry(RateLimited(NOON + 9 * MINUTE), attempts=1, now=NOON)

    assert retry.due_at is not None
    assert 9 * MINUTE < retry.due_at - NOON < 10 * MINUTE
    assert retry.failed_reason is None
