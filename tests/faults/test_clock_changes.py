"""Summer time ends, a UTC day ends, the clock jumps: days and work stay right."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from sync.models import Run
from sync.runs import reconcile
from tests.support.harness import Stage
from tests.support.table_comparison import ours, survey_mails, theirs


def days(stage: Stage) -> list[date]:
    with stage.runtime.db.reading() as session:
        return list(session.scalars(select(Run.local_day).order_by(Run.started_at)))


def test_the_night_when_summer_time_ends(stage: Stage) -> None:
    stage.clock.at = datetime(2026, 10, 24, 20, tzinfo=UTC)
    athlete = stage.athlete(zone="Europe/Berlin")
    stage.link(athlete)
    stage.work()

    # 22:30 and 00:30 in summer time, 02:30 twice, 23:30 in winter time.
    for at in ((24, 20, 30), (24, 22, 30), (25, 0, 30), (25, 1, 30), (25, 22, 30)):
        stage.clock.at = datetime(2026, 10, *at, tzinfo=UTC) + timedelta(minutes=31)
        run = stage.run(athlete, ended_minutes_ago=1, moving_s=1800)
        stage.tell(athlete, run.id, "create")
        stage.work()

    assert days(stage) == [date(2026, 10, 24), *[date(2026, 10, 25)] * 4]
    assert ours(stage) == theirs(stage.world)


def test_midnight_utc_in_the_middle_of_a_run(stage: Stage) -> None:
    stage.clock.at = datetime(2026, 5, 1, 23, 59, 30, tzinfo=UTC)
    athlete = stage.athlete(zone="America/Los_Angeles")
    stage.link(athlete)
    stage.work()
    stage.pass_time(minutes=15)

    run = stage.run(athlete, ended_minutes_ago=1, moving_s=1800)
    stage.tell(athlete, run.id, "create")
    stage.work()

    assert days(stage) == [date(2026, 5, 1)]
    assert survey_mails(stage) == [run.id]


def test_a_clock_that_jumps_loses_and_doubles_nothing(stage: Stage) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()

    for hours in (2, -1, 26, -3, 2):
        stage.pass_time(hours=hours)
        run = stage.run(athlete, ended_minutes_ago=10)
        stage.tell(athlete, run.id, "create")
        stage.work()
    stage.pass_time(days=2)
    stage.work()
    reconcile.drain(stage.runtime)

    assert ours(stage) == theirs(stage.world)
    assert len(survey_mails(stage)) == len(set(survey_mails(stage)))
