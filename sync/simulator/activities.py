"""What athletes do here, and what of it the app hears about."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sync.simulator.events import announce
from sync.simulator.records import Activity, Athlete, Updates, Visibility
from sync.simulator.refusals import NotHere
from sync.simulator.shapes import OLDER_TYPE
from sync.simulator.world import World

DEVICE = "Garmin Forerunner 265"
MORNING_HOUR = 11
# Between them these have every whole hour of the day at every moment.
ZONES = (
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Halifax",
    "America/Sao_Paulo",
    "Atlantic/South_Georgia",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Pacific/Noumea",
    "Pacific/Auckland",
    "Pacific/Tongatapu",
)


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run to be finished; `zone` may also be `own` or `daytime`."""

    distance_m: float = 5000.0
    moving_s: int = 1800
    ended_minutes_ago: float = 30.0
    zone: str = "own"
    sport_type: str = "Run"
    trainer: bool = False
    manual: bool = False
    race: bool = False
    athlete_count: int = 1
    visibility: Visibility = "everyone"
    start_hidden: bool = False
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What an athlete changes about an activity; None leaves it as it is."""

    name: str | None = None
    distance_m: float | None = None
    moving_s: int | None = None
    sport_type: str | None = None
    visibility: Visibility | None = None

    def fields(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value is not None}


def finish(world: World, athlete: Athlete, run: NewRun) -> Activity:
    """Upload a run that ended a moment ago."""
    end_s = world.now_s() - round(run.ended_minutes_ago * 60)
    zone = {"own": athlete.zone, "daytime": daytime_zone(end_s)}.get(run.zone, run.zone)
    start_s = end_s - run.moving_s
    activity = Activity(
        id=world.next_id("activity"),
        athlete_id=athlete.id,
        name=title(start_s, zone, run.sport_type),
        sport_type=run.sport_type,
        start_s=start_s,
        zone=zone,
        distance_m=round(run.distance_m, 1),
        moving_s=run.moving_s,
        elapsed_s=run.moving_s,
        visibility=run.visibility,
        trainer=run.trainer,
        manual=run.manual,
        workout_type=1 if run.race else 0,
        athlete_count=run.athlete_count,
        device_name=None if run.manual else DEVICE,
        start_hidden=run.start_hidden,
    )
    world.put_activity(activity)
    if not run.silent:
        _tell(world, activity, "create")
    return activity


def edit(world: World, activity: Activity, change: Edit) -> Activity:
    """Rename, crop, hide, show or retype an activity; crops go unannounced."""
    edited = replace(activity, **change.fields())
    if change.moving_s is not None:
        edited = replace(edited, elapsed_s=max(change.moving_s, 0))
    world.put_activity(edited)
    _tell_edit(world, activity, edited)
    return edited


def delete(world: World, activity: Activity) -> None:
    world.remove_activity(activity)
    _tell(world, activity, "delete")


def find_athlete(world: World, athlete_id: int) -> Athlete:
    athlete = world.athletes.get(athlete_id)
    if athlete is None:
        raise NotHere(f"There is no athlete {athlete_id} in this world.")
    return athlete


def find_activity(world: World, activity_id: int) -> Activity:
    activity = world.activity(activity_id)
    if activity is None:
        raise NotHere(f"There is no activity {activity_id} in this world.")
    return activity


def daytime_zone(at_s: int) -> str:
    """Name a place where it is late morning at that moment."""

    def minutes_off(zone: str) -> int:
        local = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(zone))
        return abs((local.hour - MORNING_HOUR) * 60 + local.minute)

    return min(ZONES, key=minutes_off)


def title(start_s: int, zone: str, sport_type: str) -> str:
    """Name an activity as Strava does when its athlete does not."""
    hour = datetime.fromtimestamp(start_s, ZoneInfo(zone)).hour
    parts = ((4, "Night"), (11, "Morning"), (13, "Lunch"), (18, "Afternoon"))
    part = next((name for end, name in parts if hour < end), "Evening")
    return f"{part} {OLDER_TYPE.get(sport_type, sport_type)}"


def _tell_edit(world: World, before: Activity, after: Activity) -> None:
    if before.is_private != after.is_private and not _sees_all(world, after):
        # Without activity:read_all a hidden activity looks deleted, and a shown
        # one looks new.
        _announce(world, after, "delete" if after.is_private else "create")
        return
    updates: Updates = {}
    if before.name != after.name:
        updates["title"] = after.name
    if before.sport_type != after.sport_type:
        updates["type"] = OLDER_TYPE.get(after.sport_type, after.sport_type)
    if before.is_private != after.is_private:
        updates["private"] = str(after.is_private).lower()
    if updates:
        _tell(world, after, "update", updates)


def _tell(
    world: World, activity: Activity, aspect: str, updates: Updates | None = None
) -> None:
    if not activity.is_private or _sees_all(world, activity):
        _announce(world, activity, aspect, updates)


def _announce(
    world: World, activity: Activity, aspect: str, updates: Updates | None = None
) -> None:
    grant = world.grants.get(activity.athlete_id)
    if grant is None or not grant.scopes & {"activity:read", "activity:read_all"}:
        return
    happened = {
        "aspect_type": aspect,
        "object_id": activity.id,
        "object_type": "activity",
        "owner_id": activity.athlete_id,
        "updates": updates or {},
    }
    announce(world, happened)


def _sees_all(world: World, activity: Activity) -> bool:
    grant = world.grants.get(activity.athlete_id)
    return grant is not None and "activity:read_all" in grant.scopes
