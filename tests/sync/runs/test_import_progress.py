"""How far an import says it is, and what becomes of records nobody can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from sync.models import Backfill, QuarantinedRecord, Run, Runner
from sync.runners import account
from sync.runners.rules import estimate_total
from sync.runs import backfill, quarantine
from sync.runs.reconcile_rules import FULL_PAGE
from sync.simulator.records import Activity, SimulatedFault
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.sync.runners.test_reconnect import InterruptedListStrava

STARTED = date(2026, 5, 1)
DAY_MIN = 24 * 60


@pytest.mark.parametrize(
    ("reached", "member_since", "expected"),
    [
        (date(2026, 1, 21), date(2025, 5, 1), 730),
        (date(2025, 5, 1), date(2025, 5, 1), 200),
        (None, date(2025, 5, 1), None),
        (date(2026, 1, 21), None, None),
        (date(2026, 4, 20), date(2025, 5, 1), None),  # too short a stretch
        (date(2020, 1, 1), date(2025, 5, 1), None),  # older than the account
        (date(2026, 1, 21), date(2031, 5, 5), None),  # an account still to come
        (date(2026, 1, 21), date(1970, 1, 1), None),  # older than Strava
    ],
)
def test_an_estimate_is_made_only_where_there_is_something_to_go_by(
    reached: date | None, member_since: date | None, expected: int | None
) -> None:
    found = estimate_total(
        200, started=STARTED, reached=reached, member_since=member_since
    )

    assert found == expected


def test_a_waiting_import_says_until_when_and_about_how_much(harness: Harness) -> None:
    joined = datetime(2024, 5, 1, tzinfo=UTC)
    athlete = replace(harness.add_athlete(), created_s=int(joined.timestamp()))
    with harness.world.transaction():
        harness.world.athletes.put(athlete)
    for days_ago in range(1, 700):
        harness.finish_run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    runner_id = harness.link_runner(athlete)
    with harness.world.transaction():
        harness.world.put_singleton(replace(harness.world.limits, read_quarter=1))

    in_step = HttpStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )
    runtime = replace(harness.runtime, strava=in_step)
    backfill.process_due(runtime)
    waiting = account.load_import_progress(harness.runtime, runner_id)
    with harness.world.transaction():
        harness.world.put_singleton(replace(harness.world.limits, read_quarter=100))
    harness.advance_clock(hours=1)
    backfill.process_due(runtime)
    done = account.load_import_progress(harness.runtime, runner_id)

    assert waiting is not None
    assert waiting.waiting_for == "limit"
    assert waiting.waiting_until is not None
    assert waiting.waiting_until > harness.clock() - timedelta(hours=1)
    assert waiting.about_total == 730
    assert done is not None
    assert (done.runs_stored, done.about_total) == (699, 699)
    assert done.waiting_until is None


def make_unreadable(harness: Harness, activity: Activity, moving_s: int) -> None:
    with harness.world.transaction():
        harness.world.put_activity(replace(activity, moving_s=moving_s))


def test_a_bad_record_fails_neither_its_page_nor_its_import(harness: Harness) -> None:
    athlete = harness.add_athlete()
    runs = [
        harness.finish_run(athlete, ended_minutes_ago=day * DAY_MIN)
        for day in (1, 2, 3)
    ]
    make_unreadable(harness, runs[1], -5)

    harness.link_runner(athlete)
    harness.process_all_due()

    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 2
        assert session.scalars(select(QuarantinedRecord.source_id)).all() == [
            runs[1].id
        ]


def test_what_was_set_aside_is_read_again_on_command(harness: Harness) -> None:
    athlete = harness.add_athlete()
    runs = [
        harness.finish_run(athlete, ended_minutes_ago=day * DAY_MIN)
        for day in range(1, 5)
    ]
    for run in runs[:3]:
        make_unreadable(harness, run, -5)
    harness.link_runner(athlete)
    harness.process_all_due()
    make_unreadable(harness, runs[0], 1800)
    with harness.world.transaction():
        harness.world.remove_activity(runs[1])

    records = quarantine.retry_quarantined(harness.runtime)

    assert (records.tried, records.unreadable) == (3, 1)
    assert quarantine.count_quarantined(harness.runtime) == 1
    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 2


def test_an_import_goes_on_where_a_failing_page_stopped_it(harness: Harness) -> None:
    athlete = harness.add_athlete()
    for day in range(1, 450):
        harness.finish_run(athlete, ended_minutes_ago=day * DAY_MIN)
    harness.link_runner(athlete)
    with harness.world.transaction():
        harness.world.faults.put(
            SimulatedFault(id=1, kind="status", status=500, on="list", times=1)
        )
    before = harness.count_strava_reads()

    backfill.process_due(harness.runtime)
    harness.advance_clock(minutes=5)
    backfill.process_due(harness.runtime)

    assert (
        harness.count_strava_reads() - before == 5
    )  # the failure, three pages, the empty one
    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 449


def test_what_is_finished_meanwhile_moves_no_page(harness: Harness) -> None:
    athlete = harness.add_athlete()
    for days_ago in range(FULL_PAGE + 5):
        harness.finish_run(
            athlete, ended_minutes_ago=DAY_MIN * (1 + days_ago), silent=True
        )
    runner_id = harness.link_runner(athlete)
    slow = InterruptedListStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )

    def goes_for_a_run() -> None:
        harness.advance_clock(hours=2)
        harness.finish_run(athlete, ended_minutes_ago=30, silent=True)

    slow.meanwhile = goes_for_a_run
    backfill.process_due(replace(harness.runtime, strava=slow))

    with harness.runtime.db.read_only() as session:
        seen = session.get_one(Backfill, runner_id).activities_seen
    assert seen == FULL_PAGE + 5


def test_a_page_on_its_way_when_all_is_to_be_deleted_is_not_kept(
    harness: Harness,
) -> None:
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=DAY_MIN, silent=True)
    runner_id = harness.link_runner(athlete)
    slow = InterruptedListStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )

    def asks_to_be_deleted() -> None:
        with harness.runtime.db.transaction() as session:
            runner = session.get_one(Runner, runner_id)
            runner.erase_at = harness.clock() + timedelta(minutes=10)

    slow.meanwhile = asks_to_be_deleted
    backfill.process_due(replace(harness.runtime, strava=slow))

    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 0
        assert session.get_one(Backfill, runner_id).next_page == 1
