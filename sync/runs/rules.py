"""What Strava's description of a run changes in ours.  Pure."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sync.errors import MoodmilesError, RateLimited, TryLater
from sync.strava import RemoteRun

SOURCE = "strava"
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
JITTER_S = 20
_NAMES = tuple(
    ("source_id" if field.name == "id" else field.name, field.name)
    for field in fields(RemoteRun)
)


def columns(remote: RemoteRun) -> dict[str, Any]:
    """Return the row's values for this run: every one of Strava's, none of ours."""
    # `dataclasses.asdict` copies every value deeply, which costs more than SQL.
    return {ours: getattr(remote, theirs) for ours, theirs in _NAMES} | {
        "source": SOURCE
    }


def differs(known: Mapping[str, Any], remote: RemoteRun) -> bool:
    """Whether Strava says anything about a run that our row does not."""
    return any(known[name] != value for name, value in columns(remote).items())


def kept_since(retention_days: int | None, *, now: datetime) -> datetime | None:
    """Return the start before which a host keeps no run of Strava's, if any."""
    return now - timedelta(days=retention_days) if retention_days else None


def young_enough(
    remotes: Iterable[RemoteRun], since: datetime | None
) -> list[RemoteRun]:
    """Leave out the runs that a host may not keep."""
    return [run for run in remotes if since is None or run.started_at >= since]


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
