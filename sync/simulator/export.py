"""Reading Strava's own bulk export, `activities.csv`, into activities."""

import csv
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

from sync.simulator.activities import DEVICE
from sync.simulator.records import Activity

DATE_FORMAT = "%b %d, %Y, %I:%M:%S %p"
REQUIRED_COLUMNS = ("Activity ID", "Activity Date", "Activity Name", "Activity Type")
TRUE_VALUES = {"true", "1", "1.0"}


class UnreadableCsv(Exception):
    """The file cannot be read; the text says where and why, in one sentence."""


class ActivityCsvRow:
    """One line; a cell is named by its column and the `nth` of columns so named."""

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

    @property
    def activity_id(self) -> int:
        text = self.text("Activity ID")
        if not text.isdecimal() or len(text) > 18:
            raise UnreadableCsv(f"{text!r} is not an activity's number")
        return int(text)

    @property
    def start_s(self) -> int:
        """Read the start, which exports give in UTC whatever the athlete's zone."""
        text = self.text("Activity Date")
        try:
            start = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise UnreadableCsv(
                f"{text!r} is not a date such as 'Jan 4, 2020, 2:57:37 PM'"
            ) from None
        return int(start.timestamp())

    def to_activity(self, athlete_id: int, zone: str) -> Activity:
        elapsed_s = round(self.non_negative("Elapsed Time"))
        temperature = self.number("Average Temperature")
        return Activity(
            id=self.activity_id,
            athlete_id=athlete_id,
            name=self.text("Activity Name"),
            sport_type=self.text("Activity Type").replace(" ", ""),
            start_s=self.start_s,
            zone=zone,
            distance_m=round(self.non_negative("Distance", nth=1), 1),
            moving_s=round(self.non_negative("Moving Time")) or elapsed_s,
            elapsed_s=elapsed_s,
            elevation_gain_m=round(self.non_negative("Elevation Gain"), 1),
            manual=not self.text("Filename"),
            commute=self.is_marked("Commute"),
            workout_type=1 if self.is_marked("Competition") else None,
            device_name=DEVICE if self.text("Filename") else None,
            average_heartrate=_round_optional(self.number("Average Heart Rate")),
            max_heartrate=_round_optional(self.number("Max Heart Rate")),
            average_cadence=_round_optional(self.number("Average Cadence")),
            average_temp_c=None if temperature is None else round(temperature),
        )


def read_export(path: Path, *, athlete_id: int, zone: str) -> list[Activity]:
    """Read every activity of the file, or raise `UnreadableCsv`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            columns = map_columns(path, next(lines, []))
            activities: dict[int, Activity] = {}
            for number, cells in enumerate(lines, start=2):
                if not any(cells):
                    continue
                row = ActivityCsvRow(columns, cells)
                try:
                    activity = row.to_activity(athlete_id, zone)
                except UnreadableCsv as error:
                    raise UnreadableCsv(
                        f"{path}, activity in row {number}: {error}."
                    ) from None
                if activity.id in activities:
                    raise UnreadableCsv(
                        f"{path}, row {number}: {activity.id} is there twice."
                    )
                activities[activity.id] = activity
    except OSError as error:
        raise UnreadableCsv(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UnreadableCsv(f"{path} is not a text file in UTF-8.") from None
    except csv.Error as error:
        raise UnreadableCsv(f"{path} is not a CSV file: {error}.") from None
    return list(activities.values())


def map_columns(path: Path, header: list[str]) -> dict[str, list[int]]:
    """Return the indices of each column name; `Distance` and others occur twice."""
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


def _round_optional(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
