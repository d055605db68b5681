"""Whatever a record holds, it costs at most itself: made-up values in every field."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from sync.analytics import figures
from sync.models import QuarantinedRecord, Run
from sync.runs.changes import save_pulled
from sync.strava import OtherActivity, RemoteRun, UnreadableRecord
from sync.strava.client import build_page
from sync.strava.parse import clean_text, parse_activity
from sync.surveys.answering.run_detail import load_run_detail
from sync.surveys.sending import decide_runs
from tests.support.harness import Harness

RECORDS = Path(__file__).parents[1] / "strava" / "records"
SAMPLES = [json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))]
# The long form is asked for by hand: FUZZ_EXAMPLES=10000.
LENGTHENED_BY = int(os.environ.get("FUZZ_EXAMPLES", "0"))
NEIGHBOUR_IDS = (101, 103)
ODD_ID = 102

odd_texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    (
        "Garmin\x00",
        "Garmin \ud83d",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2031-05-05T08:00:00Z",
        "1971-01-01T00:00:00Z",
        "2026-02-30T08:00:00Z",
        "2026-W09-1",
        "(GMT+01:00) Europe/Berlin\x00",
        "(GMT+00:00) \ud83d",
        "\u0664\u0662",
        "x" * 9000,
    )
)
odd_numbers = st.sampled_from((-1, 0, 2**31, 2**63, 2**64, 10**400, -(10**400)))
odd_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | odd_texts | odd_numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner),
    max_leaves=6,
)


@st.composite
def odd_records(draw: st.DrawFn) -> dict[str, Any]:
    """Take one of Strava's records and replace up to four of its fields."""
    record = dict(draw(st.sampled_from(SAMPLES))) | {"id": ODD_ID}
    fields = st.sampled_from(sorted(record.keys() | {"device_name", "elapsed_time"}))
    for field in draw(st.lists(fields, min_size=1, max_size=4, unique=True)):
        if draw(st.integers(0, 5)) == 0:
            record.pop(field, None)
        else:
            record[field] = draw(odd_values)
    return record


@given(odd_values | odd_records())
@settings(max_examples=LENGTHENED_BY or 2000)
def test_every_record_is_read_or_named_unreadable(record: object) -> None:
    parsed = parse_activity(record)

    assert isinstance(parsed, RemoteRun | OtherActivity | UnreadableRecord)
    if isinstance(parsed, RemoteRun):
        assert parsed.device is None or parsed.device.isprintable()


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Garmin\x00", "Garmin"),
        ("Garmin \ud83d", "Garmin "),
        ("Apple\u00a0Watch\n 7", "Apple Watch 7"),
        ("COROS PACE\u200b 3", "COROS PACE 3"),
        ("Läufer 🏃", "Läufer 🏃"),
    ],
)
def test_a_text_keeps_what_people_read(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@pytest.mark.slow
def test_no_record_stops_its_neighbours(harness: Harness) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    sample = json.loads((RECORDS / "treadmill_summary.json").read_text())
    neighbours = [
        sample | {"id": NEIGHBOUR_IDS[0], "start_date_local": "2026-10-05T07:00:00Z"},
        sample | {"id": NEIGHBOUR_IDS[1], "start_date_local": "2026-10-06T07:00:00Z"},
    ]

    @given(odd_records())
    @settings(max_examples=LENGTHENED_BY or 250)
    def store_beside_others(record: dict[str, Any]) -> None:
        page = build_page([neighbours[0], record, neighbours[1]])

        save_pulled(harness.runtime, runner_id, page)
        decide_runs.process_due(harness.runtime)

        with harness.runtime.db.read_only() as session:
            stored = session.execute(select(Run.source_id, Run.undecided_since)).all()
            run_ids = session.scalars(select(Run.id)).all()
            quarantined = session.scalars(select(QuarantinedRecord.source_id)).all()
        assert {*NEIGHBOUR_IDS} <= {source_id for source_id, _ in stored}
        assert {undecided for _, undecided in stored} == {None}
        # Its own number may be what is odd about it.
        assert len(quarantined) <= 1
        # Everything that was stored can be looked at, and counted.
        for run_id in run_ids:
            load_run_detail(harness.runtime, runner_id, run_id)
        figures.load_figures(harness.runtime, runner_id)
        with harness.runtime.db.transaction() as session:
            session.execute(delete(Run))
            session.execute(delete(QuarantinedRecord))

    store_beside_others()
