"""How far an import says it is, and what becomes of records nobody can read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from sync.models import Backfill, Run, Runner, SetAside
from sync.runners import account
from sync.runners.rules import about_total
from sync.runs import backfill, quarantine
from sync.runs.reconcile_rules import FULL_PAGE
from sync.simulator.records import Activity, Fault
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage
from tests.sync.runners.test_reconnect import Answers

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
    ],
)
def test_an_estimate_is_made_only_where_there_is_something_to_go_by(
    reached: date | None, member_since: date | None, expected: int | None
) -> None:
    found = about_total(
        200, started=STARTED, reached=reached, member_since=member_since
    )

    assert found == expected


def test_a_waiting_import_says_until_when_and_about_how_much(stage: Stage) -> None:
    joined = datetime(2024, 5, 1, tzinfo=UTC)
    athlete = replace(stage.athlete(), created_s=int(joined.timestamp()))
    with stage.world.change():
        stage.world.athletes.put(athlete)
    for days_ago in range(1, 700):
        stage.run(athlete, ended_minutes_ago=days_ago * DAY_MIN)
    runner_id = stage.link(athlete)
    with stage.world.change():
        stage.world.set(replace(stage.world.limits, read_quarter=1))

    in_step = HttpStrava(stage.runtime.settings, budget=Budget("", clock=stage.clock))
    runtime = replace(stage.runtime, strava=in_step)
    backfill.drain(runtime)
    waiting = account.progress(stage.runtime, runner_id)
    with stage.world.change():
        stage.world.set(replace(stage.world.limits, read_quarter=100))
    stage.pass_time(hours=1)
    backfill.drain(runtime)
    done = account.progress(stage.runtime, runner_id)

    assert waiting is not None
    assert waiting.waiting_for == "limit"
    assert waiting.waiting_until is not None
    assert waiting.waiting_until > stage.clock() - timedelta(hours=1)
    assert waiting.about_total == 730
    assert done is not None
    assert (done.runs_stored, done.about_total) == (699, 699)
    assert done.waiting_until is None


def odd(stage: Stage, activity: Activity, moving_s: int) -> None:
    with stage.world.change():
        stage.world.put_activity(replace(activity, moving_s=moving_s))


def test_a_bad_record_fails_neither_its_page_nor_its_import(stage: Stage) -> None:
    athlete = stage.athlete()
    runs = [stage.run(athlete, ended_minutes_ago=day * DAY_MIN) for day in (1, 2, 3)]
    odd(stage, runs[1], -5)

    stage.link(athlete)
    stage.work()

    with stage.runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 2
        assert session.scalars(select(SetAside.source_id)).all() == [runs[1].id]


def test_what_was_set_aside_is_read_again_on_command(stage: Stage) -> None:
    athlete = stage.athlete()
    runs = [stage.run(athlete, ended_minutes_ago=day * DAY_MIN) for day in range(1, 5)]
    for run in runs[:3]:
        odd(stage, run, -5)
    stage.link(athlete)
    stage.work()
    odd(stage, runs[0], 1800)
    with stage.world.change():
        stage.world.remove_activity(runs[1])

    found = quarantine.retry(stage.runtime)

    assert found == (3, 1)
    assert quarantine.count(stage.runtime) == 1
    with stage.runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 2


def test_an_import_goes_on_where_a_failing_page_stopped_it(stage: Stage) -> None:
    athlete = stage.athlete()
    for day in range(1, 450):
        stage.run(athlete, ended_minutes_ago=day * DAY_MIN)
    stage.link(athlete)
    with stage.world.change():
        stage.world.faults.put(
            Fault(id=1, kind="status", status=500, on="list", times=1)
        )
    before = stage.reads()

    backfill.drain(stage.runtime)
    stage.pass_time(minutes=5)
    backfill.drain(stage.runtime)

    assert stage.reads() - before == 5  # the failure, three pages, the empty one
    with stage.runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 449


def test_what_is_finished_meanwhile_moves_no_page(stage: Stage) -> None:
    athlete = stage.athlete()
    for days_ago in range(FULL_PAGE + 5):
        stage.run(athlete, ended_minutes_ago=DAY_MIN * (1 + days_ago), silent=True)
    runner_id = stage.link(athlete)
    slow = Answers(stage.runtime.settings, budget=Budget("", clock=stage.clock))

    def goes_for_a_run() -> None:
        stage.pass_time(hours=2)
        stage.run(athlete, ended_minutes_ago=30, silent=True)

    slow.meanwhile = goes_for_a_run
    backfill.drain(replace(stage.runtime, strava=slow))

    with stage.runtime.db.reading() as session:
        seen = session.get_one(Backfill, runner_id).activities_seen
    assert seen == FULL_PAGE + 5


def test_a_page_on_its_way_when_all_is_to_be_deleted_is_not_kept(stage: Stage) -> None:
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=DAY_MIN, silent=True)
    runner_id = stage.link(athlete)
    slow = Answers(stage.runtime.settings, budget=Budget("", clock=stage.clock))

    def asks_to_be_deleted() -> None:
        with stage.runtime.db.transaction() as session:
            runner = session.get_one(Runner, runner_id)
            runner.erase_at = stage.clock() + timedelta(minutes=10)

    slow.meanwhile = asks_to_be_deleted
    backfill.drain(replace(stage.runtime, strava=slow))

    with stage.runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 0
        assert session.get_one(Backfill, runner_id).next_page == 1
