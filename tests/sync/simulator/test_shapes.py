"""An activity's JSON has Strava's keys, and Strava's oddities."""

import pytest

from sync.simulator.records import Activity
from sync.simulator.shapes import (
    build_activity_detail,
    build_activity_summary,
    format_zone,
)

SUMMER_EVENING_IN_BERKELEY = Activity(
    id=15830114221,
    athlete_id=134815,
    name="Evening Run",
    sport_type="TrailRun",
    start_s=1791075600,  # 2026-10-04 01:00 UTC, the third of October in Berkeley
    zone="America/Los_Angeles",
    distance_m=10042.7,
    moving_s=2952,
    elapsed_s=3018,
    elevation_gain_m=64.0,
    device_name="Garmin Forerunner 265",
    average_heartrate=152.3,
    max_heartrate=176.0,
)
TREADMILL_BY_HAND = Activity(
    id=15841200777,
    athlete_id=134815,
    name="Treadmill",
    sport_type="Run",
    start_s=1791075600,
    zone="America/Los_Angeles",
    distance_m=5000.0,
    moving_s=1800,
    elapsed_s=1800,
    trainer=True,
    manual=True,
)


def test_the_local_start_carries_a_false_z() -> None:
    summary = build_activity_summary(SUMMER_EVENING_IN_BERKELEY)

    assert summary["start_date"] == "2026-10-04T01:00:00Z"
    assert summary["start_date_local"] == "2026-10-03T18:00:00Z"
    assert summary["utc_offset"] == -25200.0
    assert summary["timezone"] == "(GMT-08:00) America/Los_Angeles"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/London", "(GMT+00:00) Europe/London"),
        ("Europe/Dublin", "(GMT+00:00) Europe/Dublin"),
        ("Australia/Sydney", "(GMT+10:00) Australia/Sydney"),
        ("Asia/Kolkata", "(GMT+05:30) Asia/Kolkata"),
        ("America/St_Johns", "(GMT-03:30) America/St_Johns"),
    ],
)
def test_a_zone_shows_its_standard_offset(zone: str, expected: str) -> None:
    assert format_zone(zone) == expected


def test_the_older_type_knows_fewer_sports() -> None:
    summary = build_activity_summary(SUMMER_EVENING_IN_BERKELEY)

    assert (summary["type"], summary["sport_type"]) == ("Run", "TrailRun")


def test_what_is_not_known_is_absent_or_odd() -> None:
    summary = build_activity_summary(TREADMILL_BY_HAND)

    assert summary["start_latlng"] == []
    assert summary["map"]["summary_polyline"] == ""
    assert summary["max_speed"] == summary["total_elevation_gain"] == 0
    assert summary["upload_id"] is None
    absent = {"average_heartrate", "suffer_score", "device_name", "upload_id_str"}
    assert not absent & summary.keys()


def test_a_hidden_start_reads_one_second_past_midnight() -> None:
    hidden = Activity(**vars(SUMMER_EVENING_IN_BERKELEY) | {"start_hidden": True})

    summary = build_activity_summary(hidden)

    assert summary["start_date"] == "2026-10-03T00:00:01Z"
    assert summary["start_date_local"] == "2026-10-03T00:00:01Z"


def test_the_detail_adds_to_the_summary() -> None:
    detail = build_activity_detail(SUMMER_EVENING_IN_BERKELEY)

    assert detail["resource_state"] == 3
    assert detail["map"]["polyline"]
    assert len(detail["splits_metric"]) == 10
    assert build_activity_summary(SUMMER_EVENING_IN_BERKELEY).keys() < detail.keys()
