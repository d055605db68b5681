"""Many processes at once: one database, one pair of tokens, one runner."""

from sqlalchemy import func, select

from sync.models import Connection, Event, Mail, Run, Runner
from sync.runners import deletion
from sync.simulator.records import App
from sync.vocabulary import SealedColumn
from tests.faults.worker_pool import WorkerJob, WorkerPool
from tests.support.harness import Harness
from tests.support.table_comparison import (
    expected_rows,
    list_surveyed_runs,
    stored_rows,
)


def test_eight_processes_write_and_none_is_refused(
    harness: Harness, worker_pool: WorkerPool
) -> None:
    athletes = 8  # of each no more events than may wait
    for number in range(athletes):
        harness.link_runner(harness.add_athlete(100 + number))
    about = {"athlete_id": 100, "athletes": athletes, "events": 80}
    jobs = [
        WorkerJob("deliver", values=about | {"first": 40 * number})
        for number in range(8)
    ]

    ends = worker_pool.run_jobs(harness, jobs)

    assert ends == [0] * 8
    with harness.runtime.db.read_only() as session:
        kept = session.scalar(select(func.count()).select_from(Event))
    assert kept == 40 * 7 + 80  # each overlaps the next by half


def test_two_processes_refresh_one_token_200_times(
    harness: Harness, worker_pool: WorkerPool
) -> None:
    with harness.world.transaction():
        harness.world.put_singleton(
            App(client_id="1", client_secret="simulated", rotate="always")
        )
    runner_id = harness.link_runner(harness.add_athlete())
    values = {"runner_id": runner_id, "times": 100, "real_clock": True}

    ends = worker_pool.run_jobs(harness, [WorkerJob("refresh", values=values)] * 2)

    assert ends == [0, 0]
    grant = harness.world.grants.get(7)
    assert grant is not None
    with harness.runtime.db.read_only() as session:
        kept = session.get_one(Connection, runner_id)
    assert (
        harness.runtime.sealer.open(kept.refresh_token, SealedColumn.STRAVA_REFRESH)
        == grant.refresh_token
    )
    assert kept.broken_at is None
    assert kept.lease_until is None


def test_four_workers_share_a_pile_of_events(
    harness: Harness, worker_pool: WorkerPool
) -> None:
    athletes = [harness.add_athlete(100 + number) for number in range(8)]
    for athlete in athletes:
        harness.link_runner(athlete)
    harness.process_all_due()
    harness.advance_clock(hours=3)
    before = harness.count_strava_reads()
    for athlete in athletes:
        for hours in (1, 2):
            run = harness.finish_run(athlete, ended_minutes_ago=60 * hours)
            harness.deliver_event(athlete, run.id, "create")

    ends = worker_pool.run_jobs(harness, [WorkerJob("inbox"), WorkerJob("surveys")] * 4)
    harness.process_all_due()

    assert ends == [0] * 8
    assert stored_rows(harness) == expected_rows(harness.world)
    assert harness.count_strava_reads() - before == len(athletes)  # one list each
    with harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 16
    assert len(list_surveyed_runs(harness)) == len(set(list_surveyed_runs(harness)))


def test_four_workers_share_the_runners_who_go(
    harness: Harness, worker_pool: WorkerPool
) -> None:
    for number in range(6):
        deletion.request_deletion(
            harness.runtime, harness.link_runner(harness.add_athlete(200 + number))
        )
    harness.advance_clock(minutes=10)

    ends = worker_pool.run_jobs(harness, [WorkerJob("leaving")] * 4)

    assert ends == [0] * 4
    assert list(harness.world.grants) == []
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Runner.id)).all() == []
        assert session.scalars(select(Mail.kind)).all() == ["deleted"] * 6
