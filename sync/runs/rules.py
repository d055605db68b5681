"""What Strava's description of a run changes in ours.  Pure."""

import random
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sync.errors import MoodmilesError, RateLimited, TryLater
from sync.strava import RemoteRun

SOURCE = "strava"
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
JITTER_S = 20


def columns(remote: RemoteRun) -> dict[str, Any]:
    """Return the row's values for this run: every one of Strava's, none of ours."""
    values = asdict(remote)
    values["source_id"] = values.pop("id")
    return values | {"source": SOURCE}


def next_try(error: MoodmilesError, *, attempts: int, now: datetime) -> datetime:
    """Return when to ask again: after the boundary, or ever more slowly.

    The jitter keeps many waiting runners from all asking in the first second
    of a new window.
    """
    match error:
        case RateLimited():
            wait_s = random.uniform(1, JITTER_S)  # noqa: S311
            return error.until + timedelta(seconds=wait_s)
        case TryLater():
            return now + error.after
        case _:
            return now + min(FIRST_WAIT * (1 << min(attempts, 12)), LONGEST_WAIT)


def costs_an_attempt(error: MoodmilesError) -> bool:
    """Whether this failure says anything about the work itself."""
    return not isinstance(error, RateLimited | TryLater)
