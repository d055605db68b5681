"""Uploads, edits and deletions by athletes, and the events that they cause."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sync.simulator.events import enqueue_event
from sync.simulator.records import Activity, Athlete, EventUpdates, Visibility
from sync.simulator.refusals import UnknownRecord
from sync.simulator.shapes import LEGACY_TYPE
from sync.simulator.world import World

DEVICE = "Garmin Forerunner 265"
LATE_MORNING_HOUR = 11
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
class RunUpload:
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
class ActivityEdit:
    """The changes to an activity; None leaves a field as it is."""

    name: str | None = None
    distance_m: float | None = None
    moving_s: int | None = None
    sport_type: str | None = None
    visibility: Visibility | None = None

    def changed_fields(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if value is not None}


def upload_run(world: World, athlete: Athlete, upload: RunUpload) -> Activity:
    """Upload a run that ended a moment ago."""
    end_s = world.now_s() - round(upload.ended_minutes_ago * 60)
    zone = {"own": athlete.zone, "daytime": find_daytime_zone(end_s)}.get(
        upload.zone, upload.zone
    )
    start_s = end_s - upload.moving_s
    activity = Activity(
        id=world.next_id("activity"),
        athlete_id=athlete.id,
        name=build_title(start_s, zone, upload.sport_type),
        sport_type=upload.sport_type,
        start_s=start_s,
        zone=zone,
        distance_m=round(upload.distance_m, 1),
        moving_s=upload.moving_s,
        elapsed_s=upload.moving_s,
        visibility=upload.visibility,
        trainer=upload.trainer,
        manual=upload.manual,
        workout_type=1 if upload.race else 0,
        athlete_count=upload.athlete_count,
        device_name=None if upload.manual else DEVICE,
        start_hidden=upload.start_hidden,
    )
    world.put_activity(activity)
    if not upload.silent:
        _announce_if_visible(world, activity, "create")
    return activity


def edit_activity(world: World, activity: Activity, changes: ActivityEdit) -> Activity:
    """Rename, crop, hide, show or retype an activity; crops go unannounced."""
    edited = replace(activity, **changes.changed_fields())
    if changes.moving_s is not None:
        edited = replace(edited, elapsed_s=max(changes.moving_s, 0))
    world.put_activity(edited)
    is_private_changed = activity.is_private != edited.is_private
    if is_private_changed and not _can_read_private(world, edited):
        # Without activity:read_all a hidden activity looks deleted, and a shown
        # one looks new.
        _announce_activity(world, edited, "delete" if edited.is_private else "create")
        return edited
    updates: EventUpdates = {}
    if activity.name != edited.name:
        updates["title"] = edited.name
    if activity.sport_type != edited.sport_type:
        updates["type"] = LEGACY_TYPE.get(edited.sport_type, edited.sport_type)
    if is_private_changed:
        updates["private"] = str(edited.is_private).lower()
    if updates:
        _announce_if_visible(world, edited, "update", updates)
    return edited


def delete_activity(world: World, activity: Activity) -> None:
    world.remove_activity(activity)
    _announce_if_visible(world, activity, "delete")


def require_athlete(world: World, athlete_id: int) -> Athlete:
    athlete = world.athletes.get(athlete_id)
    if athlete is None:
        raise UnknownRecord(f"There is no athlete {athlete_id} in this world.")
    return athlete


def require_activity(world: World, activity_id: int) -> Activity:
    activity = world.get_activity(activity_id)
    if activity is None:
        raise UnknownRecord(f"There is no activity {activity_id} in this world.")
    return activity


def find_daytime_zone(moment_s: int) -> str:
    """Return a zone in which it is late morning at that moment."""

    def minutes_from_morning(zone: str) -> int:
        local = datetime.fromtimestamp(moment_s, UTC).astimezone(ZoneInfo(zone))
        return abs((local.hour - LATE_MORNING_HOUR) * 60 + local.minute)

    return min(ZONES, key=minutes_from_morning)


def build_title(start_s: int, zone: str, sport_type: str) -> str:
    """Name an activity as Strava does when its athlete does not."""
    hour = datetime.fromtimestamp(start_s, ZoneInfo(zone)).hour
    parts = ((4, "Night"), (11, "Morning"), (13, "Lunch"), (18, "Afternoon"))
    part = next((name for end, name in parts if hour < end), "Evening")
    return f"{part} {LEGACY_TYPE.get(sport_type, sport_type)}"


def _announce_if_visible(
    world: World, activity: Activity, aspect: str, updates: EventUpdates | None = None
) -> None:
    if not activity.is_private or _can_read_private(world, activity):
        _announce_activity(world, activity, aspect, updates)


def _announce_activity(
    world: World, activity: Activity, aspect: str, updates: EventUpdates | None = None
) -> None:
    grant = world.grants.get(activity.athlete_id)
    if grant is None or not grant.scopes & {"activity:read", "activity:read_all"}:
        return
    payload = {
        "aspect_type": aspect,
        "object_id": activity.id,
        "object_type": "activity",
        "owner_id": activity.athlete_id,
        "updates": updates or {},
    }
    enqueue_event(world, payload)


def _can_read_private(world: World, activity: Activity) -> bool:
    grant = world.grants.get(activity.athlete_id)
    return grant is not None and "activity:read_all" in grant.scopes
