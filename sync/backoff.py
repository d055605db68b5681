"""How long work is leased, and when work that failed is tried again.  Pure."""

import random
from datetime import datetime, timedelta

from sync.errors import RateLimited, StravaUnavailable, TryLater

# Longer than a task may live, and than any one mail can take.
LEASE = timedelta(minutes=5)
# With the waits below the last attempt comes five to six hours after the first.
MAX_ATTEMPTS = 12
MIN_WAIT = timedelta(seconds=30)
# Most of Strava's failures are over at once: a dropped connection, one bad gateway.
# Nobody should wait a minute for them, nor should all try in the same second.
FIRST_WAIT_S = (3, 8)
MAX_WAIT = timedelta(hours=1)
# What was set aside is tried once a day: a new version may have mended it.
SET_ASIDE_INTERVAL = timedelta(days=1)
MAX_JITTER_S = 20


def backoff(attempts: int) -> timedelta:
    """Return the wait after so many attempts: each twice the one before."""
    return min(MIN_WAIT * (1 << min(attempts, 12)), MAX_WAIT)


def next_attempt_at(error: Exception, *, attempts: int, now: datetime) -> datetime:
    """Return when to try again: when a limit ends, or after the backoff.

    The jitter keeps many waiting runners from all asking in the first second
    of a new window.
    """
    match error:
        case RateLimited():
            wait_s = random.uniform(1, MAX_JITTER_S)  # noqa: S311
            return error.until + timedelta(seconds=wait_s)
        case TryLater():
            return now + error.after
        case StravaUnavailable() if attempts <= 1:
            wait_s = random.uniform(*FIRST_WAIT_S)  # noqa: S311
            return now + timedelta(seconds=wait_s)
        case StravaUnavailable():
            return now + backoff(attempts - 1)
        case _:
            return now + backoff(attempts)


def counts_as_attempt(error: Exception) -> bool:
    """Whether this failure says anything about the work itself."""
    return not isinstance(error, RateLimited | TryLater)
