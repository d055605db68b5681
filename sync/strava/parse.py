"""Strava's JSON for one activity, read strictly into what we keep of it: pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.strava.api import OtherActivity, RemoteRun, UnreadableRecord
from sync.vocabulary import Visibility

RUN_SPORTS = frozenset({"Run", "TrailRun", "VirtualRun"})
RACE_WORKOUT = 1
# Strava shows this on the clock of a runner who hides the start time.
HIDDEN_START = time(0, 0, 1)

MAX_ID = 2**63 - 1
MAX_DISTANCE_M = 10_000_000.0
MAX_DURATION_S = 366 * 86_400
MAX_ELEVATION_M = 1_000_000.0
MAX_OFFSET_S = 18 * 3600
MAX_DEVICE_LENGTH = 100


class _InvalidField(Exception):
    """A field that does not make sense; the text says which and why."""


def parse_activity(record: object) -> RemoteRun | OtherActivity | UnreadableRecord:
    """Read one activity, in the list's form or in the detailed one."""
    if not isinstance(record, Mapping):
        return UnreadableRecord(id=0, reason="the record is not an object")
    try:
        activity_id = _read_int(record, "id", 1, MAX_ID)
    except _InvalidField as error:
        return UnreadableRecord(id=0, reason=str(error))
    try:
        sport = _sport(record)
        if sport not in RUN_SPORTS:
            return OtherActivity(id=activity_id, sport=sport)
        return _to_run(record, activity_id, sport)
    except _InvalidField as error:
        return UnreadableRecord(id=activity_id, reason=str(error))


def local_day_of(record: object, field: str = "start_date_local") -> date | None:
    """Tell the local day of any record, a run or not, if it has one."""
    try:
        return _read_time(record, field).date() if record else None
    except _InvalidField:
        return None


def _to_run(record: Mapping[Any, Any], activity_id: int, sport: str) -> RemoteRun:
    local = _read_time(record, "start_date_local")
    zone = _zone(record)
    offset_s = _offset_s(record, zone)
    start_known = local.time() != HIDDEN_START
    moving_s = _read_seconds(record, "moving_time")
    return RemoteRun(
        id=activity_id,
        sport=sport,
        started_at=_started_at(record, local, offset_s, start_known=start_known),
        start_known=start_known,
        zone=zone,
        offset_s=offset_s,
        local_day=local.date(),
        distance_m=_read_number(record, "distance", 0, MAX_DISTANCE_M),
        moving_s=moving_s,
        elapsed_s=_elapsed_s(record, moving_s),
        elevation_m=_elevation_m(record),
        treadmill=record.get("trainer") is True or sport == "VirtualRun",
        manual=record.get("manual") is True,
        race=record.get("workout_type") == RACE_WORKOUT,
        with_others=_athlete_count(record) > 1,
        device=_device(record),
        visibility=_visibility(record),
    )


def _sport(record: Mapping[Any, Any]) -> str:
    """Prefer `sport_type`; the older `type` calls a trail run a run."""
    sport = record.get("sport_type")
    if sport is None:
        sport = record.get("type")
    if not isinstance(sport, str) or not sport:
        raise _InvalidField("sport_type is not a name")
    return sport


def _started_at(
    record: Mapping[Any, Any], local: datetime, offset_s: int, *, start_known: bool
) -> datetime:
    """Give the true UTC start; a hidden one becomes the start of the local day.

    With a hidden start both of Strava's times show the same wall clock, so only
    the offset can tell where the day began.
    """
    if start_known:
        return _read_time(record, "start_date").replace(tzinfo=UTC)
    return (local - timedelta(seconds=offset_s)).replace(tzinfo=UTC)


def _read_time(record: Any, field: str) -> datetime:
    """Read a time without its Z, which is false in the local one."""
    text = record.get(field) if isinstance(record, Mapping) else None
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z"))  # type: ignore[union-attr]
    except (AttributeError, TypeError, ValueError):
        raise _InvalidField(f"{field} is not a time") from None
    if moment.tzinfo is not None or not 1970 < moment.year < 2200:
        raise _InvalidField(f"{field} is not a time that we can use")
    return moment.replace(microsecond=0)


def _zone(record: Mapping[Any, Any]) -> str | None:
    """Keep the name; the GMT part before it knows no summer time."""
    text = record.get("timezone")
    if not isinstance(text, str):
        return None
    name = text.partition(" ")[2] if text.startswith("(") else text
    return name if _is_known(name) else None


@lru_cache(maxsize=512)
def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _offset_s(record: Mapping[Any, Any], zone: str | None) -> int:
    if record.get("utc_offset") is not None:
        max_offset_s = MAX_OFFSET_S
        return round(_read_number(record, "utc_offset", -max_offset_s, max_offset_s))
    if zone is None:
        raise _InvalidField("neither utc_offset nor timezone says where the run was")
    local = _read_time(record, "start_date_local").replace(tzinfo=ZoneInfo(zone))
    return int((local.utcoffset() or timedelta()).total_seconds())


def _elapsed_s(record: Mapping[Any, Any], moving_s: int) -> int:
    """Take at least the moving time: a few records claim less."""
    if record.get("elapsed_time") is None:
        return moving_s
    return max(moving_s, _read_seconds(record, "elapsed_time"))


def _elevation_m(record: Mapping[Any, Any]) -> float | None:
    if record.get("total_elevation_gain") is None:
        return None
    return _read_number(
        record, "total_elevation_gain", -MAX_ELEVATION_M, MAX_ELEVATION_M
    )


def _athlete_count(record: Mapping[Any, Any]) -> int:
    count = record.get("athlete_count")
    return count if isinstance(count, int) else 1


def _device(record: Mapping[Any, Any]) -> str | None:
    name = record.get("device_name")
    return name.strip()[:MAX_DEVICE_LENGTH] or None if isinstance(name, str) else None


def _visibility(record: Mapping[Any, Any]) -> Visibility:
    """Believe the stricter of the two fields; not private means followers."""
    if record.get("private") is True:
        return Visibility.ONLY_ME
    visibility = record.get("visibility")
    if isinstance(visibility, str) and visibility in {*Visibility}:
        return Visibility(visibility)
    return Visibility.FOLLOWERS_ONLY


def _read_seconds(record: Mapping[Any, Any], field: str) -> int:
    return round(_read_number(record, field, 0, MAX_DURATION_S))


def _read_int(
    record: Mapping[Any, Any], field: str, min_value: int, max_value: int
) -> int:
    value = record.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _InvalidField(f"{field} is not a whole number")
    if not min_value <= value <= max_value:
        raise _InvalidField(f"{field} is out of range")
    return value


def _read_number(
    record: Mapping[Any, Any], field: str, min_value: float, max_value: float
) -> float:
    value = record.get(field)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _InvalidField(f"{field} is not a number")
    if not min_value <= value <= max_value:  # neither NaN nor infinity is within
        raise _InvalidField(f"{field} is out of range")
    return float(value)
