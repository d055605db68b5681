"""What Strava's description of a run changes in ours.  Pure."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sync.errors import MoodmilesError, RateLimited, TryLater
from sync.strava import RemoteRun
from sync.vocabulary import RunSource

SOURCE = RunSource.STRAVA
MIN_WAIT = timedelta(seconds=30)
MAX_WAIT = timedelta(hours=1)
MAX_JITTER_S = 20
_COLUMN_FIELDS = tuple(
    ("source_id" if field.name == "id" else field.name, field.name)
    for field in fields(RemoteRun)
)


def to_columns(remote: RemoteRun) -> dict[str, Any]:
    """Return the row's values for this run: every one of Strava's, none of ours."""
    # `dataclasses.asdict` copies every value deeply, which costs more than SQL.
    return {
        column_name: getattr(remote, field_name)
        for column_name, field_name in _COLUMN_FIELDS
    } | {"source": SOURCE}


def differs(row: Mapping[str, Any], remote: RemoteRun) -> bool:
    """Whether Strava says anything about a run that our row does not."""
    return any(row[name] != value for name, value in to_columns(remote).items())


def retention_start(retention_days: int | None, *, now: datetime) -> datetime | None:
    """Return the start before which a host keeps no run of Strava's, if any."""
    return now - timedelta(days=retention_days) if retention_days else None


def within_retention(
    remotes: Iterable[RemoteRun], since: datetime | None
) -> list[RemoteRun]:
    """Leave out the runs that a host may not keep."""
    return [run for run in remotes if since is None or run.started_at >= since]


def next_attempt_at(error: MoodmilesError, *, attempts: int, now: datetime) -> datetime:
    """Return when to ask again: after the boundary, or ever more slowly.

    The jitter keeps many waiting runners from all asking in the first second
    of a new window.
    """
    match error:
        case RateLimited():
            wait_s = random.uniform(1, MAX_JITTER_S)  # noqa: S311
            return error.until + timedelta(seconds=wait_s)
        case TryLater():
            return now + error.after
        case _:
            return now + min(MIN_WAIT * (1 << min(attempts, 12)), MAX_WAIT)


def counts_as_attempt(error: MoodmilesError) -> bool:
    """Whether this failure says anything about the work itself."""
    return not isinstance(error, RateLimited | TryLater)
