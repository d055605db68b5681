"""Strava's JSON for one activity, read strictly into what we keep of it: pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sync.bounds import FIRST_YEAR, LAST_YEAR, MAX_ID
from sync.strava.api import Activity, OtherActivity, RemoteRun, UnreadableRecord
from sync.time_zones import is_known_zone
from sync.vocabulary import Visibility

RUN_SPORTS = frozenset({"Run", "TrailRun", "VirtualRun"})
RACE_WORKOUT = 1
# Strava shows this on the clock of a runner who hides the start time.
HIDDEN_START = time(0, 0, 1)

MAX_DISTANCE_M = 10_000_000.0
MAX_DURATION_S = 366 * 86_400
MAX_ELEVATION_M = 1_000_000.0
MAX_OFFSET_S = 18 * 3600
MAX_DEVICE_LENGTH = 100


class InvalidField(Exception):
    """A field that does not make sense; the text says which and why."""


def parse_activity(record: object) -> Activity:
    """Read one activity, in the list's form or in the detailed one."""
    activity_id = 0
    try:
        reader = ActivityReader(record)
        activity_id = reader.id
        sport = reader.sport
        if sport not in RUN_SPORTS:
            return OtherActivity(activity_id, sport, started_at=reader.listed_at)
        local = reader.time("start_date_local")
        zone = reader.zone
        offset_s = reader.offset_s(local, zone)
        moving_s = reader.moving_s
        return RemoteRun(
            id=activity_id,
            sport=sport,
            started_at=reader.started_at(local, offset_s),
            start_known=local.time() != HIDDEN_START,
            zone=zone,
            offset_s=offset_s,
            local_day=local.date(),
            distance_m=reader.number("distance", 0, MAX_DISTANCE_M),
            moving_s=moving_s,
            elapsed_s=reader.elapsed_s,
            elevation_m=reader.elevation_m,
            treadmill=reader.get("trainer") is True or sport == "VirtualRun",
            manual=reader.get("manual") is True,
            race=reader.get("workout_type") == RACE_WORKOUT,
            with_others=reader.with_others,
            device=reader.device,
            visibility=reader.visibility,
        )
    except InvalidField as error:
        return UnreadableRecord(id=activity_id, reason=str(error))
    # What nobody foresaw about one record must not cost its neighbours.
    except Exception as error:  # noqa: BLE001
        return UnreadableRecord(id=activity_id, reason=type(error).__name__)


def local_day_of(record: object, field: str = "start_date_local") -> date | None:
    """Return the local day of a record of any sport; None if it has none."""
    try:
        return ActivityReader(record).time(field).date() if record else None
    except InvalidField:
        return None


def clean_text(text: str) -> str:
    """Return the text with single blanks, and without what no table takes.

    Databases refuse NUL and halves of a character that was cut.
    """
    return "".join(filter(str.isprintable, " ".join(text.split())))


class ActivityReader:
    """The fields of one record; each raises `InvalidField` if it makes no sense."""

    def __init__(self, record: object) -> None:
        if not isinstance(record, Mapping):
            raise InvalidField("the record is not an object")
        self._record: Mapping[Any, Any] = record

    def get(self, field: str) -> Any:
        """Return the value as it is; None if it is absent."""
        return self._record.get(field)

    def number(self, field: str, min_value: float, max_value: float) -> float:
        value = self.get(field)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InvalidField(f"{field} is not a number")
        if not min_value <= value <= max_value:  # neither NaN nor infinity is within
            raise InvalidField(f"{field} is out of range")
        return float(value)

    def seconds(self, field: str) -> int:
        return round(self.number(field, 0, MAX_DURATION_S))

    def time(self, field: str) -> datetime:
        """Read a naive time; its Z is dropped, for it is false in the local one."""
        text = self.get(field)
        try:
            moment = datetime.fromisoformat(text.removesuffix("Z"))
        except (AttributeError, TypeError, ValueError):
            raise InvalidField(f"{field} is not a time") from None
        if moment.tzinfo is not None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise InvalidField(f"{field} is not a time that we can use")
        return moment.replace(microsecond=0)

    @property
    def id(self) -> int:
        value = self.get("id")
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidField("id is not a whole number")
        if not 1 <= value <= MAX_ID:
            raise InvalidField("id is out of range")
        return value

    @property
    def sport(self) -> str:
        """Prefer `sport_type`; the older `type` calls a trail run a run."""
        sport = self.get("sport_type")
        if sport is None:
            sport = self.get("type")
        if not isinstance(sport, str) or not sport:
            raise InvalidField("sport_type is not a name")
        return sport

    def started_at(self, local: datetime, offset_s: int) -> datetime:
        """Return the true UTC start; a hidden one becomes the start of the local day.

        With a hidden start both of Strava's times show the same wall clock, so only
        the offset can tell where the day began.
        """
        if local.time() != HIDDEN_START:
            return self.time("start_date").replace(tzinfo=UTC)
        return (local - timedelta(seconds=offset_s)).replace(tzinfo=UTC)

    @property
    def listed_at(self) -> datetime | None:
        """Return the UTC start that Strava's list is sorted by; None without one."""
        try:
            return self.time("start_date").replace(tzinfo=UTC)
        except InvalidField:
            return None

    @property
    def zone(self) -> str | None:
        """Keep the name; the GMT part before it knows no summer time."""
        text = self.get("timezone")
        if not isinstance(text, str):
            return None
        name = text.partition(" ")[2] if text.startswith("(") else text
        return name if is_known_zone(name) else None

    def offset_s(self, local: datetime, zone: str | None) -> int:
        if self.get("utc_offset") is not None:
            return round(self.number("utc_offset", -MAX_OFFSET_S, MAX_OFFSET_S))
        if zone is None:
            raise InvalidField("neither utc_offset nor timezone says where the run was")
        offset = local.replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
        return int(offset.total_seconds())

    @property
    def moving_s(self) -> int:
        """Return what is reported, and 0 if only the elapsed time is."""
        if self.get("moving_time") is None and self.get("elapsed_time") is not None:
            return 0
        return self.seconds("moving_time")

    @property
    def elapsed_s(self) -> int:
        """Return what is reported, be it less than the moving time."""
        if self.get("elapsed_time") is None:
            return self.moving_s
        return self.seconds("elapsed_time")

    @property
    def elevation_m(self) -> float | None:
        if self.get("total_elevation_gain") is None:
            return None
        return self.number("total_elevation_gain", -MAX_ELEVATION_M, MAX_ELEVATION_M)

    @property
    def with_others(self) -> bool:
        count = self.get("athlete_count")
        return isinstance(count, int) and count > 1

    @property
    def device(self) -> str | None:
        name = self.get("device_name")
        if not isinstance(name, str):
            return None
        return clean_text(name)[:MAX_DEVICE_LENGTH].strip() or None

    @property
    def visibility(self) -> Visibility:
        """Believe the stricter of the two fields; not private means followers."""
        if self.get("private") is True:
            return Visibility.ONLY_ME
        visibility = self.get("visibility")
        if isinstance(visibility, str) and visibility in {*Visibility}:
            return Visibility(visibility)
        return Visibility.FOLLOWERS_ONLY
