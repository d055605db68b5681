"""Strava's JSON for one activity, read strictly into what we keep of it: pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.strava.api import NotARun, RemoteRun, Unreadable

RUNS = frozenset({"Run", "TrailRun", "VirtualRun"})
RACE = 1
# Strava shows this on the clock of a runner who hides the start time.
HIDDEN_START = time(0, 0, 1)

HIGHEST_ID = 2**63 - 1
LONGEST_M = 10_000_000.0
LONGEST_S = 366 * 86_400
HIGHEST_M = 1_000_000.0
WIDEST_OFFSET_S = 18 * 3600
LONGEST_DEVICE = 100
VISIBILITIES = frozenset({"everyone", "followers_only", "only_me"})


class _Odd(Exception):
    """A field that does not make sense; the text says which and why."""


def parse(record: object) -> RemoteRun | NotARun | Unreadable:
    """Read one activity, in the list's form or in the detailed one."""
    if not isinstance(record, Mapping):
        return Unreadable(id=0, reason="the record is not an object")
    try:
        activity_id = _whole(record, "id", 1, HIGHEST_ID)
    except _Odd as odd:
        return Unreadable(id=0, reason=str(odd))
    try:
        sport = _sport(record)
        if sport not in RUNS:
            return NotARun(id=activity_id, sport=sport)
        return _run(record, activity_id, sport)
    except _Odd as odd:
        return Unreadable(id=activity_id, reason=str(odd))


def day(record: object, field: str = "start_date_local") -> date | None:
    """Tell the local day of any record, a run or not, if it has one."""
    try:
        return _moment(record, field).date() if record else None
    except _Odd:
        return None


def _run(record: Mapping[Any, Any], activity_id: int, sport: str) -> RemoteRun:
    local = _moment(record, "start_date_local")
    zone = _zone(record)
    offset_s = _offset_s(record, zone)
    start_known = local.time() != HIDDEN_START
    moving_s = _seconds(record, "moving_time")
    return RemoteRun(
        id=activity_id,
        sport=sport,
        started_at=_started_at(record, local, offset_s, start_known=start_known),
        start_known=start_known,
        zone=zone,
        offset_s=offset_s,
        local_day=local.date(),
        distance_m=_number(record, "distance", 0, LONGEST_M),
        moving_s=moving_s,
        elapsed_s=_elapsed_s(record, moving_s),
        elevation_m=_elevation_m(record),
        treadmill=record.get("trainer") is True or sport == "VirtualRun",
        manual=record.get("manual") is True,
        race=record.get("workout_type") == RACE,
        with_others=_company(record) > 1,
        device=_device(record),
        visibility=_visibility(record),
    )


def _sport(record: Mapping[Any, Any]) -> str:
    """Prefer `sport_type`; the older `type` calls a trail run a run."""
    sport = record.get("sport_type")
    if sport is None:
        sport = record.get("type")
    if not isinstance(sport, str) or not sport:
        raise _Odd("sport_type is not a name")
    return sport


def _started_at(
    record: Mapping[Any, Any], local: datetime, offset_s: int, *, start_known: bool
) -> datetime:
    """Give the true UTC start; a hidden one becomes the start of the local day.

    With a hidden start both of Strava's times show the same wall clock, so only
    the offset can tell where the day began.
    """
    if start_known:
        return _moment(record, "start_date").replace(tzinfo=UTC)
    return (local - timedelta(seconds=offset_s)).replace(tzinfo=UTC)


def _moment(record: Any, field: str) -> datetime:
    """Read a time without its Z, which is false in the local one."""
    text = record.get(field) if isinstance(record, Mapping) else None
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z"))  # type: ignore[union-attr]
    except (AttributeError, TypeError, ValueError):
        raise _Odd(f"{field} is not a time") from None
    if moment.tzinfo is not None or not 1970 < moment.year < 2200:
        raise _Odd(f"{field} is not a time that we can use")
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
        widest = WIDEST_OFFSET_S
        return round(_number(record, "utc_offset", -widest, widest))
    if zone is None:
        raise _Odd("neither utc_offset nor timezone says where the run was")
    local = _moment(record, "start_date_local").replace(tzinfo=ZoneInfo(zone))
    return int((local.utcoffset() or timedelta()).total_seconds())


def _elapsed_s(record: Mapping[Any, Any], moving_s: int) -> int:
    """Take at least the moving time: a few records claim less."""
    if record.get("elapsed_time") is None:
        return moving_s
    return max(moving_s, _seconds(record, "elapsed_time"))


def _elevation_m(record: Mapping[Any, Any]) -> float | None:
    if record.get("total_elevation_gain") is None:
        return None
    return _number(record, "total_elevation_gain", -HIGHEST_M, HIGHEST_M)


def _company(record: Mapping[Any, Any]) -> int:
    count = record.get("athlete_count")
    return count if isinstance(count, int) else 1


def _device(record: Mapping[Any, Any]) -> str | None:
    name = record.get("device_name")
    return name.strip()[:LONGEST_DEVICE] or None if isinstance(name, str) else None


def _visibility(record: Mapping[Any, Any]) -> str:
    """Believe the stricter of the two fields; not private means followers."""
    if record.get("private") is True:
        return "only_me"
    told = record.get("visibility")
    known = isinstance(told, str) and told in VISIBILITIES
    return str(told) if known else "followers_only"


def _seconds(record: Mapping[Any, Any], field: str) -> int:
    return round(_number(record, field, 0, LONGEST_S))


def _whole(record: Mapping[Any, Any], field: str, least: int, most: int) -> int:
    value = record.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Odd(f"{field} is not a whole number")
    if not least <= value <= most:
        raise _Odd(f"{field} is out of range")
    return value


def _number(record: Mapping[Any, Any], field: str, least: float, most: float) -> float:
    value = record.get(field)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Odd(f"{field} is not a number")
    if not least <= value <= most:  # neither NaN nor infinity is within
        raise _Odd(f"{field} is out of range")
    return float(value)
