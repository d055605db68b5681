"""Summer time ends, a UTC day ends, the clock jumps: days and work stay right."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from sync.models import Run
from sync.runs import reconcile
from tests.support.harness import Harness
from tests.support.table_comparison import (
    expected_rows,
    list_surveyed_runs,
    stored_rows,
)


def read_local_days(harness: Harness) -> list[date]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(Run.local_day).order_by(Run.started_at)))


def test_the_night_when_summer_time_ends(harness: Harness) -> None:
    harness.clock.at = datetime(2026, 10, 24, 20, tzinfo=UTC)
    athlete = harness.add_athlete(zone="Europe/Berlin")
    harness.link_runner(athlete)
    harness.process_all_due()

    # 22:30 and 00:30 in summer time, 02:30 twice, 23:30 in winter time.
    for at in ((24, 20, 30), (24, 22, 30), (25, 0, 30), (25, 1, 30), (25, 22, 30)):
        harness.clock.at = datetime(2026, 10, *at, tzinfo=UTC) + timedelta(minutes=31)
        run = harness.finish_run(athlete, ended_minutes_ago=1, moving_s=1800)
        harness.deliver_event(athlete, run.id, "create")
        harness.process_all_due()

    assert read_local_days(harness) == [date(2026, 10, 24), *[date(2026, 10, 25)] * 4]
    assert stored_rows(harness) == expected_rows(harness.world)


def test_midnight_utc_in_the_middle_of_a_run(harness: Harness) -> None:
    harness.clock.at = datetime(2026, 5, 1, 23, 59, 30, tzinfo=UTC)
    athlete = harness.add_athlete(zone="America/Los_Angeles")
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(minutes=15)

    run = harness.finish_run(athlete, ended_minutes_ago=1, moving_s=1800)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()

    assert read_local_days(harness) == [date(2026, 5, 1)]
    assert list_surveyed_runs(harness) == [run.id]


def test_a_clock_that_jumps_loses_and_doubles_nothing(harness: Harness) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()

    for hours in (2, -1, 26, -3, 2):
        harness.advance_clock(hours=hours)
        run = harness.finish_run(athlete, ended_minutes_ago=10)
        harness.deliver_event(athlete, run.id, "create")
        harness.process_all_due()
    harness.advance_clock(days=2)
    harness.process_all_due()
    reconcile.process_due(harness.runtime)

    assert stored_rows(harness) == expected_rows(harness.world)
    assert len(list_surveyed_runs(harness)) == len(set(list_surveyed_runs(harness)))
