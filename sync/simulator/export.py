"""Reading Strava's own bulk export, `activities.csv`, into activities."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from sync.simulator.activities import DEVICE
from sync.simulator.records import Activity

DATE_FORMAT = "%b %d, %Y, %I:%M:%S %p"
REQUIRED_COLUMNS = ("Activity ID", "Activity Date", "Activity Name", "Activity Type")
TRUE_VALUES = {"true", "1", "1.0"}


class UnreadableCsv(Exception):
    """The file cannot be used; the text says where and why, in one sentence."""


class ActivityCsvRow:
    """One line, by column name and by which of the columns of that name is meant."""

    def __init__(self, columns: dict[str, list[int]], cells: list[str]) -> None:
        self._columns = columns
        self._cells = cells

    def text(self, name: str, nth: int = 0) -> str:
        indices = self._columns.get(name, [])
        if nth >= len(indices) or indices[nth] >= len(self._cells):
            return ""
        return self._cells[indices[nth]].strip()

    def number(self, name: str, nth: int = 0) -> float | None:
        text = self.text(name, nth)
        if not text:
            return None
        try:
            value = float(text.replace(",", ""))
        except ValueError:
            raise UnreadableCsv(f"{text!r} in {name} is not a number") from None
        if not isfinite(value) or value < -500:
            raise UnreadableCsv(f"{text!r} in {name} is not a number that can be")
        return value

    def non_negative(self, name: str, nth: int = 0) -> float:
        value = self.number(name, nth) or 0.0
        if value < 0:
            raise UnreadableCsv(f"{name} is below zero")
        return value

    def is_marked(self, name: str) -> bool:
        return self.text(name).lower() in TRUE_VALUES


def read_export(path: Path, *, athlete_id: int, zone: str) -> list[Activity]:
    """Read every activity of the file, or raise `Unreadable`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(_parse_activities(path, csv.reader(file), athlete_id, zone))
    except OSError as error:
        raise UnreadableCsv(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UnreadableCsv(f"{path} is not a text file in UTF-8.") from None
    except csv.Error as error:
        raise UnreadableCsv(f"{path} is not a CSV file: {error}.") from None


def _parse_activities(
    path: Path, lines: Iterator[list[str]], athlete_id: int, zone: str
) -> Iterator[Activity]:
    columns = _map_columns(path, next(lines, []))
    seen_ids: set[int] = set()
    for number, cells in enumerate(lines, start=2):
        if not any(cells):
            continue
        try:
            activity = _parse_activity(ActivityCsvRow(columns, cells), athlete_id, zone)
        except UnreadableCsv as error:
            raise UnreadableCsv(f"{path}, activity in row {number}: {error}.") from None
        if activity.id in seen_ids:
            raise UnreadableCsv(f"{path}, row {number}: {activity.id} is there twice.")
        seen_ids.add(activity.id)
        yield activity


def _map_columns(path: Path, header: list[str]) -> dict[str, list[int]]:
    """Map names to places; `Distance` and others stand there twice."""
    columns: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        columns.setdefault(name.strip(), []).append(index)
    for name in REQUIRED_COLUMNS:
        if name not in columns:
            raise UnreadableCsv(
                f"{path} is no Strava activities.csv: no column {name!r}."
            )
    if len(columns.get("Distance", [])) < 2:
        # The first is in kilometres or miles, and nothing says which.
        raise UnreadableCsv(f"{path} has no column 'Distance' in metres.")
    return columns


def _parse_activity(row: ActivityCsvRow, athlete_id: int, zone: str) -> Activity:
    elapsed_s = round(row.non_negative("Elapsed Time"))
    temperature = row.number("Average Temperature")
    return Activity(
        id=_parse_id(row.text("Activity ID")),
        athlete_id=athlete_id,
        name=row.text("Activity Name"),
        sport_type=row.text("Activity Type").replace(" ", ""),
        start_s=_parse_start(row.text("Activity Date")),
        zone=zone,
        distance_m=round(row.non_negative("Distance", nth=1), 1),
        moving_s=round(row.non_negative("Moving Time")) or elapsed_s,
        elapsed_s=elapsed_s,
        elevation_gain_m=round(row.non_negative("Elevation Gain"), 1),
        manual=not row.text("Filename"),
        commute=row.is_marked("Commute"),
        workout_type=1 if row.is_marked("Competition") else None,
        device_name=DEVICE if row.text("Filename") else None,
        average_heartrate=_round_optional(row.number("Average Heart Rate")),
        max_heartrate=_round_optional(row.number("Max Heart Rate")),
        average_cadence=_round_optional(row.number("Average Cadence")),
        average_temp_c=None if temperature is None else round(temperature),
    )


def _parse_id(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise UnreadableCsv(f"{text!r} is not an activity's number")
    return int(text)


def _parse_start(text: str) -> int:
    """Read a date as exports write it, in UTC whatever the athlete's zone."""
    try:
        return int(datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise UnreadableCsv(
            f"{text!r} is not a date such as 'Jan 4, 2020, 2:57:37 PM'"
        ) from None


def _round_optional(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
