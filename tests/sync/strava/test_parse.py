"""Strava's records, with all their traps, become our runs or are set aside."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sync.strava import OtherActivity, RemoteRun, UnreadableRecord
from sync.strava.parse import local_day_of, parse_activity
from sync.vocabulary import Visibility

RECORDS = Path(__file__).parent / "records"
NAN = float("nan")


def build_record(**fields: Any) -> dict[str, Any]:
    """Return a plain run of the list with some fields of one's own."""
    fields_of_sample: dict[str, Any] = json.loads(
        (RECORDS / "treadmill_summary.json").read_text()
    )
    return fields_of_sample | fields


def build_record_without(*fields: str) -> dict[str, Any]:
    return {key: value for key, value in build_record().items() if key not in fields}


def parse_run(record_values: dict[str, Any]) -> RemoteRun:
    parsed = parse_activity(record_values)
    assert isinstance(parsed, RemoteRun), parsed
    return parsed


def test_a_detailed_road_run_is_read_to_the_last_field() -> None:
    detailed = json.loads((RECORDS / "road_run_detailed.json").read_text())

    assert parse_activity(detailed) == RemoteRun(
        id=15830114221,
        sport="Run",
        started_at=datetime(2026, 10, 4, 13, 31, 12, tzinfo=UTC),
        start_known=True,
        zone="America/Los_Angeles",
        offset_s=-25200,
        local_day=date(2026, 10, 4),
        distance_m=10042.7,
        moving_s=2952,
        elapsed_s=3018,
        elevation_m=64.0,
        treadmill=False,
        manual=False,
        race=False,
        with_others=True,
        device="Garmin Forerunner 265",
        visibility=Visibility.FOLLOWERS_ONLY,
    )


def test_a_manual_treadmill_run_belongs_to_its_own_local_day() -> None:
    assert parse_activity(build_record()) == RemoteRun(
        id=15841200777,
        sport="Run",
        started_at=datetime(2026, 10, 6, 1, 0, tzinfo=UTC),
        start_known=True,
        zone="America/Los_Angeles",
        offset_s=-25200,
        local_day=date(2026, 10, 5),
        distance_m=5000.0,
        moving_s=1800,
        elapsed_s=1800,
        elevation_m=0.0,
        treadmill=True,
        manual=True,
        race=False,
        with_others=False,
        device=None,
        visibility=Visibility.EVERYONE,
    )


@pytest.mark.parametrize("sport", ["Run", "TrailRun", "VirtualRun"])
def test_these_sports_are_runs(sport: str) -> None:
    assert parse_run(build_record(sport_type=sport)).sport == sport


@pytest.mark.parametrize("sport", ["Ride", "Walk", "Hyrox", "Ski", "run", "Running"])
def test_every_other_sport_is_named_and_left_out(sport: str) -> None:
    found = parse_activity(build_record(sport_type=sport, type="Run", distance="odd"))

    assert found == OtherActivity(id=15841200777, sport=sport)


def test_the_older_type_counts_only_without_a_sport_type() -> None:
    assert parse_run(build_record_without("sport_type")).sport == "Run"
    assert parse_activity(build_record(sport_type="Walk", type="Run")) == OtherActivity(
        15841200777, "Walk"
    )


@pytest.mark.parametrize("start", ["2026-10-05T00:00:01Z", "2026-10-05T07:00:01Z"])
def test_a_hidden_start_becomes_the_beginning_of_the_local_day(start: str) -> None:
    hidden = parse_run(
        build_record(start_date=start, start_date_local="2026-10-05T00:00:01Z")
    )

    assert not hidden.start_known
    assert hidden.local_day == date(2026, 10, 5)
    assert hidden.started_at == datetime(2026, 10, 5, 7, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "zone"),
    [
        ("(GMT-05:00) America/New_York", "America/New_York"),
        ("(GMT+05:30) Asia/Kolkata", "Asia/Kolkata"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("(GMT+00:00) Mars/Olympus", None),
        ("(GMT+00:00) America", None),
        ("(GMT+00:00) ../../etc/passwd", None),
        ("(GMT+01:00)", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_only_the_zone_names_that_everybody_knows_are_kept(
    told: object, zone: str | None
) -> None:
    assert parse_run(build_record(timezone=told)).zone == zone


def test_without_an_offset_the_zone_says_what_summer_time_does() -> None:
    found = build_record_without("utc_offset") | {
        "timezone": "(GMT-05:00) America/New_York"
    }

    assert parse_run(found).offset_s == -4 * 3600


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"workout_type": 1}, {"race": True}),
        ({"workout_type": 2}, {"race": False}),
        ({"workout_type": None}, {"race": False}),
        ({"athlete_count": 3}, {"with_others": True}),
        ({"athlete_count": 0}, {"with_others": False}),
        ({"athlete_count": None}, {"with_others": False}),
        ({"trainer": False}, {"treadmill": False}),
        ({"trainer": False, "sport_type": "VirtualRun"}, {"treadmill": True}),
        ({"trainer": None, "manual": None}, {"treadmill": False, "manual": False}),
        ({"device_name": " Garmin fēnix 8 "}, {"device": "Garmin fēnix 8"}),
        ({"device_name": ""}, {"device": None}),
        ({"device_name": "x" * 300}, {"device": "x" * 100}),
        ({"moving_time": 0, "elapsed_time": 0}, {"moving_s": 0, "elapsed_s": 0}),
        ({"elapsed_time": 1790}, {"moving_s": 1800, "elapsed_s": 1790}),
        ({"moving_time": None}, {"moving_s": 0, "elapsed_s": 1800}),
        ({"elapsed_time": None}, {"elapsed_s": 1800}),
        ({"elapsed_time": 1810.5}, {"elapsed_s": 1810}),
        ({"distance": 0}, {"distance_m": 0.0}),
        ({"total_elevation_gain": None}, {"elevation_m": None}),
        ({"private": True, "visibility": "everyone"}, {"visibility": "only_me"}),
        ({"visibility": "only_me"}, {"visibility": "only_me"}),
        ({"visibility": "club"}, {"visibility": "followers_only"}),
        ({"visibility": ["everyone"]}, {"visibility": "followers_only"}),
    ],
)
def test_what_a_field_means(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    found = parse_run(build_record(**fields))

    assert {name: getattr(found, name) for name in expected} == expected


def test_fields_that_strava_may_leave_out_are_not_missed() -> None:
    bare = build_record_without(
        "timezone",
        "total_elevation_gain",
        "elapsed_time",
        "workout_type",
        "athlete_count",
        "trainer",
        "manual",
        "private",
        "visibility",
        "device_name",
    )

    found = parse_run(bare)

    assert (found.elevation_m, found.zone, found.device) == (None, None, None)
    assert (found.treadmill, found.manual, found.race) == (False, False, False)
    assert found.visibility == "followers_only"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"distance": "5000"}, "distance is not a number"),
        ({"distance": True}, "distance is not a number"),
        ({"distance": None}, "distance is not a number"),
        ({"distance": -1}, "distance is out of range"),
        ({"distance": NAN}, "distance is out of range"),
        ({"distance": 10**400}, "distance is out of range"),
        ({"moving_time": -5}, "moving_time is out of range"),
        ({"moving_time": 2**40}, "moving_time is out of range"),
        ({"elapsed_time": "an hour"}, "elapsed_time is not a number"),
        ({"total_elevation_gain": "up"}, "total_elevation_gain is not a number"),
        ({"sport_type": 5}, "sport_type is not a name"),
        ({"sport_type": ""}, "sport_type is not a name"),
        ({"start_date": None}, "start_date is not a time"),
        ({"start_date": "yesterday"}, "start_date is not a time"),
        ({"start_date": 1791120672}, "start_date is not a time"),
        (
            {"start_date_local": "0001-01-01T00:00:00Z"},
            "start_date_local is not a time that we can use",
        ),
        (
            {"start_date": "2026-10-05T18:00:00+02:00"},
            "start_date is not a time that we can use",
        ),
        ({"utc_offset": 10**6}, "utc_offset is out of range"),
        (
            {"utc_offset": None, "timezone": None},
            "neither utc_offset nor timezone says where the run was",
        ),
    ],
)
def test_a_record_that_makes_no_sense_is_set_aside_with_the_reason(
    fields: dict[str, Any], reason: str
) -> None:
    assert parse_activity(build_record(**fields)) == UnreadableRecord(
        15841200777, reason
    )


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (None, "the record is not an object"),
        ([], "the record is not an object"),
        ({}, "id is not a whole number"),
        ({"id": "5"}, "id is not a whole number"),
        ({"id": True}, "id is not a whole number"),
        ({"id": 0}, "id is out of range"),
        ({"id": 2**63}, "id is out of range"),
    ],
)
def test_a_record_without_a_number_is_set_aside_too(odd: object, reason: str) -> None:
    assert parse_activity(odd) == UnreadableRecord(0, reason)


def test_the_day_of_any_record_is_the_local_one() -> None:
    assert local_day_of(build_record(sport_type="Ride")) == date(2026, 10, 5)
    assert local_day_of({"id": 5}) is None
    assert local_day_of(None) is None
