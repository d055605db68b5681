"""An athlete and an activity as Strava's JSON shows them, key for key."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sync.simulator.records import Activity, Athlete, SimulatedSubscription

Json = dict[str, Any]

# `type` is older and knows fewer sports than `sport_type`.
LEGACY_TYPE = {
    "TrailRun": "Run",
    "GravelRide": "Ride",
    "MountainBikeRide": "Ride",
}
ROUTE_POLYLINE = "ki{eFvqfiVqAWQIGEEKAYJgBVqD"
START_COORDINATES = [37.83, -122.26]
METRES_PER_KILOMETRE = 1000.0


def build_athlete_summary(athlete: Athlete) -> Json:
    created = format_utc(athlete.created_s)
    return {
        "id": athlete.id,
        "resource_state": 2,
        "firstname": athlete.firstname,
        "lastname": athlete.lastname,
        "city": athlete.city,
        "state": None,
        "country": athlete.country,
        "sex": athlete.sex,
        "premium": False,
        "summit": False,
        "created_at": created,
        "updated_at": created,
        "profile_medium": "avatar/athlete/medium.png",
        "profile": "avatar/athlete/large.png",
    }


def build_athlete_detail(athlete: Athlete) -> Json:
    """Add what `profile:read_all` shows; an e-mail address is in neither."""
    return build_athlete_summary(athlete) | {
        "resource_state": 3,
        "follower_count": 0,
        "friend_count": 0,
        "measurement_preference": "meters",
        "ftp": None,
        "weight": None,
        "clubs": [],
        "bikes": [],
        "shoes": [],
    }


def build_subscription(record: SimulatedSubscription, application_id: str) -> Json:
    created = format_utc(record.created_s)
    return {
        "id": record.id,
        "resource_state": 2,
        "application_id": int(application_id),
        "callback_url": record.callback_url,
        "created_at": created,
        "updated_at": created,
    }


def build_activity_summary(activity: Activity) -> Json:
    """One item of the list; a key without a value is absent, not null."""
    zone = ZoneInfo(activity.zone)
    start = datetime.fromtimestamp(activity.start_s, zone)
    offset_s = (start.utcoffset() or timedelta()).total_seconds()
    started = start.astimezone(UTC).replace(tzinfo=None)
    local = start.replace(tzinfo=None)
    if activity.start_hidden:
        started = local = local.replace(hour=0, minute=0, second=1)
    has_route = _has_route(activity)
    speed = activity.distance_m / activity.moving_s if activity.moving_s else 0.0
    has_heartrate = activity.average_heartrate is not None
    upload_id = None if activity.manual else activity.id + 1_143_000_000
    optional_fields = {
        "average_cadence": activity.average_cadence,
        "average_temp": activity.average_temp_c,
        "average_heartrate": activity.average_heartrate,
        "max_heartrate": activity.max_heartrate,
        "suffer_score": float(activity.moving_s // 60) if has_heartrate else None,
        "elev_high": 12.6 + activity.elevation_gain_m if has_route else None,
        "elev_low": 12.6 if has_route else None,
        "upload_id_str": None if upload_id is None else str(upload_id),
        "device_name": activity.device_name,
    }
    return {
        "resource_state": 2,
        "athlete": {"id": activity.athlete_id, "resource_state": 1},
        "name": activity.name,
        "distance": activity.distance_m,
        "moving_time": activity.moving_s,
        "elapsed_time": activity.elapsed_s,
        "total_elevation_gain": 0 if activity.manual else activity.elevation_gain_m,
        "type": LEGACY_TYPE.get(activity.sport_type, activity.sport_type),
        "sport_type": activity.sport_type,
        "workout_type": activity.workout_type,
        "id": activity.id,
        "start_date": f"{started.isoformat()}Z",
        # Wall time where the activity began: this Z is false at Strava too.
        "start_date_local": f"{local.isoformat()}Z",
        "timezone": format_zone(activity.zone),
        "utc_offset": offset_s,
        "location_city": None,
        "location_state": None,
        "location_country": None,
        "achievement_count": 0,
        "kudos_count": 0,
        "comment_count": 0,
        "athlete_count": activity.athlete_count,
        "photo_count": 0,
        "map": {
            "id": f"a{activity.id}",
            "summary_polyline": ROUTE_POLYLINE if has_route else "",
            "resource_state": 2,
        },
        "trainer": activity.trainer,
        "commute": activity.commute,
        "manual": activity.manual,
        "private": activity.is_private,
        "visibility": activity.visibility,
        "flagged": False,
        "gear_id": None,
        "start_latlng": START_COORDINATES if has_route else [],
        "end_latlng": START_COORDINATES if has_route else [],
        "from_accepted_tag": False,
        "pr_count": 0,
        "total_photo_count": 0,
        "has_kudoed": False,
        "average_speed": round(speed, 3),
        "max_speed": 0 if activity.manual else round(speed * 1.4, 3),
        "has_heartrate": has_heartrate,
        "heartrate_opt_out": False,
        "display_hide_heartrate_option": has_heartrate,
        "upload_id": upload_id,
        "external_id": None if activity.manual else f"garmin_ping_{activity.id}",
    } | {key: value for key, value in optional_fields.items() if value is not None}


def build_activity_detail(activity: Activity) -> Json:
    has_route = _has_route(activity)
    summary = build_activity_summary(activity)
    kilometres = int(activity.distance_m // METRES_PER_KILOMETRE)
    splits: list[Json] = []
    if kilometres and not activity.manual:
        pace_s = round(activity.moving_s * METRES_PER_KILOMETRE / activity.distance_m)
        splits = [
            {
                "distance": METRES_PER_KILOMETRE,
                "elapsed_time": pace_s,
                "elevation_difference": 0.0,
                "moving_time": pace_s,
                "split": number,
                "average_speed": round(METRES_PER_KILOMETRE / max(pace_s, 1), 2),
                "pace_zone": 2,
            }
            for number in range(1, kilometres + 1)
        ]
    return summary | {
        "resource_state": 3,
        "map": summary["map"]
        | {"polyline": ROUTE_POLYLINE if has_route else "", "resource_state": 3},
        "description": None,
        "calories": round(activity.distance_m * 0.07, 1),
        "perceived_exertion": None,
        "prefer_perceived_exertion": None,
        "segment_efforts": [],
        "splits_metric": splits,
        "splits_standard": [],
        "laps": [],
        "best_efforts": [],
        "photos": {"primary": None, "count": 0},
        "hide_from_home": False,
        "embed_token": f"{activity.id:040x}",
        "available_zones": ["heartrate"] if activity.average_heartrate else [],
    }


def _has_route(activity: Activity) -> bool:
    return not (activity.trainer or activity.manual)


@cache
def format_zone(zone: str) -> str:
    """Name a zone with its standard offset: summer time never shows in it."""
    offsets = (
        datetime(2026, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
        for month in (1, 7)
    )
    minutes = int(min(offsets).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"(GMT{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}) {zone}"


def format_utc(epoch_s: int) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC).replace(tzinfo=None).isoformat()}Z"
