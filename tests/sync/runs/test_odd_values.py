"""Each odd value in each field of a record, on one page with sound neighbours."""

import json
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from sync.analytics import figures
from sync.models import QuarantinedRecord, Run
from sync.runs.changes import save_pulled
from sync.strava import OtherActivity, RemoteRun, UnreadableRecord
from sync.strava.client import build_page
from sync.strava.parse import parse_activity
from sync.surveys.answering.run_detail import load_run_detail
from sync.surveys.sending import decide_runs
from tests.support.harness import Harness
from tests.sync.runs.test_odd_records import RECORDS

ODD_NUMBERS = (
    *(-1, -0.0, 0, 1e308, -1e308, 5e-324, 2**31, 2**63, 2**64, 10**400),
    *(float("nan"), float("inf"), float("-inf"), True, False),
)
ODD_TEXTS = (
    "",
    " ",
    "\x00",
    "5\x00",
    "\ud83d",
    "1e3",
    "0x10",
    "NaN",
    "null",
    "x" * 9999,
)
ODD_SHAPES: tuple[Any, ...] = (None, [], {}, [[]], {"id": 1}, [None, 1], [{"a": []}])
ODD_TIMES = (
    *("2026-10-05T07:00:00", "2026-10-05T07:00:00.123456Z", "2026-10-05 07:00:00Z"),
    *("2026-10-05T07:00:00+25:00", "2026-10-05T07:00:00-00:00", "2026-10-05"),
    *("2026-10-05T23:59:60Z", "2026-10-05T24:00:00Z", "2026-02-30T07:00:00Z"),
    *("0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "10000-01-01T00:00:00Z"),
    *("-0044-03-15T00:00:00Z", "2026-W41-1T07:00:00Z", "20261005T070000Z", 1759647600),
)
ODD_ZONES = (
    *("(GMT+00:00) ", "(GMT+00:00)", "GMT", "Mars/Olympus", "europe/berlin"),
    *("(GMT+01:00) europe/BERLIN", "(GMT+01:00) Europe/Berlin\x00", "(GMT+99:99) X"),
    *("(GMT+01:00) ../../etc/passwd", "(GMT+01:00) /etc/localtime", "() ", "("),
    "(GMT+01:00) " + "E" * 10_000,
)
COMMON = (*ODD_NUMBERS, *ODD_TEXTS, *ODD_SHAPES)
ODD_VALUES: dict[str, tuple[Any, ...]] = {
    "id": COMMON,
    "athlete": (*COMMON, {"id": 8}, {"id": -1}, {"id": "7"}, {"id": None}),
    "sport_type": (*COMMON, "Sauna", ["Run"]),
    "type": (*COMMON, "Sauna", ["Run"]),
    "start_date": (*COMMON, *ODD_TIMES),
    "start_date_local": (*COMMON, *ODD_TIMES),
    "timezone": (*COMMON, *ODD_ZONES),
    "utc_offset": (*COMMON, 86400, -86401, 10**9),
    "distance": COMMON,
    "moving_time": COMMON,
    "elapsed_time": COMMON,
    "total_elevation_gain": COMMON,
    "trainer": COMMON,
    "manual": COMMON,
    "private": COMMON,
    "visibility": (*COMMON, "friends"),
    "workout_type": COMMON,
    "athlete_count": COMMON,
    "device_name": COMMON,
}


def build_odd_records() -> list[object]:
    sample = json.loads((RECORDS / "treadmill_summary.json").read_text())
    numbers = count(1000)
    records: list[object] = [
        sample | {"id": next(numbers)} | {field: value}
        for field, values in ODD_VALUES.items()
        for value in values
    ]
    return [*records, None, [], "run", 7, True, {}, {"id": 5}, [records[0]]]


@pytest.mark.parametrize("text", [b'{"id": 1, "id": 2}', b'[{"distance": 1e999}]'])
def test_json_that_says_a_thing_twice_or_too_much_is_read(text: bytes) -> None:
    parsed = parse_activity(json.loads(text))

    assert isinstance(parsed, UnreadableRecord)


def test_each_odd_value_costs_its_record_at_most(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    records = build_odd_records()
    sample = json.loads((RECORDS / "treadmill_summary.json").read_text())
    sound = [
        sample | {"id": 11, "start_date_local": "2026-10-03T07:00:00Z"},
        sample | {"id": 12, "start_date_local": "2026-10-04T07:00:00Z"},
    ]
    assert len(records) > 500
    page = build_page([sound[0], *records, sound[1]])

    save_pulled(harness.runtime, runner_id, page)
    decide_runs.process_due(harness.runtime)

    kinds = (RemoteRun, OtherActivity, UnreadableRecord)
    assert len(page.runs) + len(page.other_activities) + len(page.unreadable) == (
        len(records) + len(sound)
    )
    assert all(isinstance(parse_activity(record), kinds) for record in records)
    with harness.runtime.db.read_only() as session:
        stored = session.execute(select(Run.id, Run.source_id)).all()
        undecided = session.scalars(select(Run.undecided_since)).all()
        reasons = session.scalars(select(QuarantinedRecord.reason)).all()
    assert {11, 12} <= {source_id for _, source_id in stored}
    assert len(stored) > 50
    assert set(undecided) == {None}
    assert len(reasons) > 50
    assert all(reasons)
    for run_id, _ in stored:
        load_run_detail(harness.runtime, runner_id, run_id)
    figures.load_figures(harness.runtime, runner_id)
