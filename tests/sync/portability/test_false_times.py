"""A run whose clock was ahead is so on the next instance, too, and for good."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sync.analytics.dataset.overview import load_dashboard
from sync.models import Run
from sync.portability.import_runner import import_runner
from sync.surveys.sending import decide_runs
from tests.support.harness import Harness
from tests.support.second_instance import (
    open_second_instance,
    read_export,
    write_export,
)

AHEAD_AT = "2031-05-05T08:00:00+00:00"


@pytest.fixture
def second_instance(
    harness: Harness, sqlite_template: Path, tmp_path: Path
) -> Iterator[Harness]:
    with open_second_instance(harness, sqlite_template, tmp_path) as other:
        yield other


@pytest.fixture(params=[0, 5 * 365], ids=["now", "when the false time is over"])
def later_instance(request: pytest.FixtureRequest, second_instance: Harness) -> Harness:
    second_instance.advance_clock(days=request.param)
    return second_instance


@pytest.mark.parametrize("is_earlier_export", [False, True])
def test_an_imported_run_is_judged_by_when_the_first_instance_saw_it(
    harness: Harness,
    runner_id: int,
    later_instance: Harness,
    tmp_path: Path,
    is_earlier_export: bool,
) -> None:
    files = read_export(harness.runtime, runner_id)
    runs: list[dict[str, Any]] = json.loads(files["runs.json"])
    # What the file says of its clock is not believed.
    runs[0] |= {
        "started_at": AHEAD_AT,
        "local_day": AHEAD_AT[:10],
        "clock_ahead": False,
        "undecided_since": runs[0]["fetched_at"],
        "imported": False,
    }
    if is_earlier_export:
        for run in runs:
            for column in ("first_seen_at", "clock_ahead", "trusted_elapsed_s"):
                run.pop(column)
    files |= {"runs.json": json.dumps(runs).encode(), "decisions.json": b"[]"}
    imported = import_runner(later_instance.runtime, write_export(tmp_path, files))
    decide_runs.process_due(later_instance.runtime)

    with later_instance.runtime.db.read_only() as session:
        marks = session.execute(select(Run.source_id, Run.clock_ahead)).all()
    assert {row.source_id for row in marks if row.clock_ahead} == {runs[0]["source_id"]}
    dashboard = load_dashboard(later_instance.runtime, imported.runner_id)
    assert [run.strava_id for run in dashboard.left_out] == [runs[0]["source_id"]]
    assert all(week.day.year < 2031 for week in dashboard.weeks)


def test_what_a_run_ahead_counted_for_counts_itself(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    files = read_export(harness.runtime, runner_id)
    runs: list[dict[str, Any]] = json.loads(files["runs.json"])
    runs[0] |= {"started_at": AHEAD_AT, "local_day": AHEAD_AT[:10]}
    runs[1] |= {"duplicate_of": runs[0]["id"], "counted": False}
    files |= {"runs.json": json.dumps(runs).encode()}

    import_runner(second_instance.runtime, write_export(tmp_path, files))

    with second_instance.runtime.db.read_only() as session:
        freed = session.scalars(
            select(Run).where(Run.source_id == runs[1]["source_id"])
        ).one()
        assert (freed.counted, freed.duplicate_of) == (True, None)
