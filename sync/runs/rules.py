"""What Strava's description of a run changes in ours.  Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sync.strava import RemoteRun
from sync.vocabulary import RunSource

SOURCE = RunSource.STRAVA
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
