"""A world can be loaded from Strava's own bulk export."""

from pathlib import Path

import pytest

from sync.simulator.export import UnreadableCsv, read_export
from sync.simulator.records import Activity
from tests.support.paths import DATA

EXPORT = DATA / "activities-small.csv"
HEADER = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Distance,Filename,Distance"
)


def read(path: Path) -> list[Activity]:
    return read_export(path, athlete_id=7, zone="Europe/London")


def test_ids_kinds_and_metres_are_taken_as_they_are() -> None:
    activities = read(EXPORT)

    runs = [activity for activity in activities if activity.sport_type == "Run"]
    assert [activity.id for activity in activities] == [
        9700000101,
        9700000102,
        12345678901,
        12345678902,
        12345678903,
    ]
    assert sum(run.distance_m for run in runs) == pytest.approx(17906.1)


def test_times_are_utc_and_numbers_are_rounded_as_strava_does() -> None:
    first = read(EXPORT)[0]

    assert first.start_s == 1580738709  # 2020-02-03 14:05:09 UTC
    assert (first.distance_m, first.moving_s, first.elapsed_s) == (5505.3, 1709, 1712)
    assert (first.average_heartrate, first.average_temp_c) == (159.0, 9)


def test_a_sport_of_two_words_and_a_run_typed_by_hand() -> None:
    ride, by_hand = read(EXPORT)[2:4]

    assert ride.sport_type == "VirtualRide"
    assert (by_hand.manual, by_hand.device_name) == (True, None)
    assert by_hand.average_heartrate is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column 'Activity ID'"),
        ("a,b\n1,2\n", "no column 'Activity ID'"),
        (HEADER.rpartition(",")[0], "no column 'Distance' in metres"),
        (f"{HEADER}\nx,,,Run,5,,5000\n", "'x' is not an activity's number"),
        (f"{HEADER}\n1,04.01.2020,,Run,5,,5000\n", "row 2: '04.01.2020' is not a date"),
        (f'{HEADER}\n1,"Jan 4, 2020, 2:57:37 PM",,Run,5,,far\n', "is not a number"),
        (f'{HEADER}\n1,"Jan 4, 2020, 2:57:37 PM",,Run,5,,nan\n', "is not a number"),
        (f'{HEADER}\n1,"Jan 4, 2020, 2:57:37 PM",,Run,5,,-9\n', "below zero"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "activities.csv"
    path.write_text(text)

    with pytest.raises(UnreadableCsv, match=words):
        read(path)


def test_an_activity_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    row = '1,"Jan 4, 2020, 2:57:37 PM",,Run,5,,5000'
    path = tmp_path / "activities.csv"
    path.write_text(f"{HEADER}\n{row}\n{row}")

    with pytest.raises(UnreadableCsv, match="is there twice"):
        read(path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    binary = tmp_path / "activities.csv"
    binary.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UnreadableCsv, match="UTF-8"):
        read(binary)
    with pytest.raises(UnreadableCsv, match="cannot be read"):
        read(tmp_path / "missing.csv")
