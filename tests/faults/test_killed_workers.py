"""kill -9 at every step of every kind of work: nothing is lost, nothing doubled."""

from collections.abc import Callable, Iterable
from itertools import count

from sqlalchemy import select

from sync import work_status
from sync.backoff import MAX_ATTEMPTS
from sync.inbox import dead_letters
from sync.models import Answer, Backfill, Connection, Mail, Run, Runner
from sync.runners import deletion, disconnect
from sync.runs import reconcile
from sync.simulator import activities
from sync.simulator.records import Activity, App
from sync.surveys.answering import answer
from tests.faults.worker_pool import WorkerJob, WorkerPool
from tests.support.harness import Harness
from tests.support.table_comparison import (
    count_undecided,
    expected_rows,
    list_surveyed_runs,
    stored_rows,
)

MOST_STEPS = 80


def link_runner(harness: Harness, athlete_id: int = 7) -> int:
    """Link a runner whose tokens last: a lost refresh is a test of its own."""
    widen_scope(harness, token_s=10_000_000)
    runner_id = harness.link_runner(harness.add_athlete(athlete_id))
    harness.process_all_due()
    return runner_id


def widen_scope(harness: Harness, **changes: int | str) -> None:
    with harness.world.transaction():
        harness.world.put_singleton(
            App(
                client_id="1",
                client_secret="simulated",
                athlete_limit=1000,
                **changes,  # type: ignore[arg-type]
            )
        )


def kill_at_each_step(
    harness: Harness,
    worker_pool: WorkerPool,
    work: str,
    prepare: Callable[[int], None],
    *,
    then: Callable[[], None] | None = None,
    steps: Iterable[int] | None = None,
) -> int:
    """Prepare, kill, take over after the lease; until a worker lives to the end."""
    for step in steps or count(1):
        assert step < MOST_STEPS
        prepare(step)
        has_survived = worker_pool.run_job(harness, WorkerJob(work, kill_at_step=step))
        harness.advance_clock(minutes=11)
        harness.process_all_due()
        if then:
            then()
        if has_survived:
            return step - 1
    raise AssertionError


def test_a_pull(harness: Harness, worker_pool: WorkerPool) -> None:
    link_runner(harness)
    athlete = activities.require_athlete(harness.world, 7)
    pulled: list[Activity] = []

    def prepare(step: int) -> None:
        harness.advance_clock(days=1)
        pulled.append(harness.finish_run(athlete, distance_m=5000 + step))
        harness.deliver_event(athlete, pulled[-1].id, "create")

    deaths = kill_at_each_step(harness, worker_pool, "inbox", prepare)

    assert deaths >= 8
    assert stored_rows(harness) == expected_rows(harness.world)
    assert count_undecided(harness) == 0
    surveyed_runs = list_surveyed_runs(harness)
    assert surveyed_runs
    assert len(surveyed_runs) == len(set(surveyed_runs))
    assert harness.count_strava_reads() <= 2 * len(pulled) + 1


def test_a_run_that_kills_every_worker_is_given_up_alone(
    harness: Harness, worker_pool: WorkerPool
) -> None:
    widen_scope(harness, token_s=10_000_000)
    athletes = [harness.add_athlete(athlete_id) for athlete_id in (7, 8, 9)]
    for athlete in athletes:
        harness.link_runner(athlete)
    harness.process_all_due()
    runs = [harness.finish_run(athlete) for athlete in athletes]
    deadly_run = runs[1]
    for athlete, run in zip(athletes, runs, strict=True):
        harness.deliver_event(athlete, run.id, "create")
    job = WorkerJob("inbox", values={"deadly_run_id": deadly_run.id})

    deaths = 0
    while not worker_pool.run_job(harness, job):
        deaths += 1
        assert deaths <= MAX_ATTEMPTS
        if deaths == 1:
            # The others wait for no lease of the dead.
            assert worker_pool.run_job(harness, job)
            assert set(stored_rows(harness)) == {runs[0].id, runs[2].id}
        harness.advance_clock(minutes=6)

    assert deaths == MAX_ATTEMPTS
    status = work_status.read_status(harness.runtime)
    assert status.failed_events == {"WorkerDied": 1}
    assert status.counters["inbox given up"] == 1
    late_run = harness.finish_run(athletes[1])
    harness.deliver_event(athletes[1], late_run.id, "create")
    assert worker_pool.run_job(harness, job)
    assert late_run.id in stored_rows(harness)
    assert dead_letters.retry_failed(harness.runtime).events == 1
    assert worker_pool.run_job(harness, WorkerJob("inbox"))
    assert stored_rows(harness) == expected_rows(harness.world)


def test_a_delete(harness: Harness, worker_pool: WorkerPool) -> None:
    runner_id = link_runner(harness)
    athlete = activities.require_athlete(harness.world, 7)

    def prepare(step: int) -> None:
        harness.advance_clock(days=1)
        run = harness.finish_run(athlete, distance_m=5000 + step)
        harness.deliver_event(athlete, run.id, "create")
        harness.process_all_due()
        with harness.runtime.db.read_only() as session:
            ours_id = session.scalars(
                select(Run.id).where(Run.source_id == run.id)
            ).one()
        answer.record_run_answer(
            harness.runtime, runner_id=runner_id, run_id=ours_id, values={"mood": 1}
        )
        with harness.world.transaction():
            activities.delete_activity(harness.world, run)
        harness.advance_clock(minutes=1)
        harness.deliver_event(athlete, run.id, "delete")

    deaths = kill_at_each_step(harness, worker_pool, "inbox", prepare)

    assert deaths >= 8
    assert stored_rows(harness) == {}
    with harness.runtime.db.read_only() as session:
        run_ids = session.scalars(select(Answer.run_id)).all()
    assert run_ids == [None] * (deaths + 1)


def test_an_import(harness: Harness, worker_pool: WorkerPool) -> None:
    widen_scope(harness, page_at_most=4)

    def prepare(step: int) -> None:
        athlete = harness.add_athlete(1000 + step)
        for days_ago in range(1, 6):
            harness.finish_run(athlete, ended_minutes_ago=days_ago * 1440)
        harness.link_runner(athlete)

    deaths = kill_at_each_step(harness, worker_pool, "backfill", prepare)

    assert deaths >= 15
    assert stored_rows(harness) == expected_rows(harness.world)
    with harness.runtime.db.read_only() as session:
        seen_counts = session.scalars(select(Backfill.activities_seen)).all()
    assert seen_counts == [5] * (deaths + 1)
    # Two pages and the empty one, and at most one page twice.
    assert harness.count_strava_reads() <= 3 * (deaths + 1) + deaths


def test_reconciling(harness: Harness, worker_pool: WorkerPool) -> None:
    link_runner(harness)
    athlete = activities.require_athlete(harness.world, 7)

    def prepare(step: int) -> None:
        harness.advance_clock(days=1)
        harness.finish_run(athlete, distance_m=5000 + step, silent=True)
        known = sorted(expected_rows(harness.world))
        if len(known) > 3:
            doomed = activities.require_activity(harness.world, known[0])
            with harness.world.transaction():
                activities.delete_activity(harness.world, doomed)

    def then() -> None:
        harness.advance_clock(hours=1)
        reconcile.process_due(harness.runtime)

    kill_at_each_step(harness, worker_pool, "reconcile", prepare, then=then)
    harness.advance_clock(days=1)
    reconcile.process_due(harness.runtime)
    harness.process_all_due()

    assert stored_rows(harness) == expected_rows(harness.world)
    assert count_undecided(harness) == 0


def test_a_goodbye(harness: Harness, worker_pool: WorkerPool) -> None:
    widen_scope(harness)
    step = 0
    lived = False
    while not lived:
        step += 1
        athlete = harness.add_athlete(2000 + step)
        harness.finish_run(athlete, ended_minutes_ago=9000)
        runner_id = harness.link_runner(athlete)
        harness.process_all_due()

        lived = worker_pool.run_job(
            harness,
            WorkerJob("disconnect", kill_at_step=step, values={"runner_id": runner_id}),
        )
        with harness.runtime.db.read_only() as session:
            begun = session.get_one(Runner, runner_id).leaving_for
        harness.advance_clock(minutes=11)
        disconnect.process_removals(harness.runtime)
        if step == 1:
            # Killed before the wish was written down: the runner asks again.
            assert begun is None
            disconnect.disconnect(harness.runtime, runner_id)

    assert step >= 5
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Connection.runner_id)).all() == []
        assert session.scalars(select(Run.id)).all() == []
        kinds = session.scalars(select(Mail.kind)).all()
    assert kinds == ["disconnected"] * step
    assert list(harness.world.grants) == []


def test_a_deletion(harness: Harness, worker_pool: WorkerPool) -> None:
    widen_scope(harness)
    step = 0
    lived = False
    while not lived:
        step += 1
        athlete = harness.add_athlete(4000 + step)
        harness.finish_run(athlete, ended_minutes_ago=9000)
        runner_id = harness.link_runner(athlete)
        harness.process_all_due()
        deletion.request_deletion(harness.runtime, runner_id)
        harness.advance_clock(minutes=10)

        lived = worker_pool.run_job(harness, WorkerJob("leaving", kill_at_step=step))
        harness.advance_clock(minutes=3)
        disconnect.process_removals(harness.runtime)

    assert step >= 5
    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(Runner.id)).all() == []
        assert session.scalars(select(Run.id)).all() == []
        kinds = session.scalars(select(Mail.kind)).all()
    assert kinds == ["deleted"] * step
    assert list(harness.world.grants) == []


def test_a_refresh(harness: Harness, worker_pool: WorkerPool) -> None:
    """A pair lost between Strava's answer and our commit ends in one invitation."""
    widen_scope(harness, rotate="always")
    ends = []
    for step in range(1, 9):
        athlete = harness.add_athlete(3000 + step)
        runner_id = harness.link_runner(athlete)
        harness.process_all_due()
        harness.advance_clock(hours=7)
        run = harness.finish_run(athlete)
        harness.deliver_event(athlete, run.id, "create")

        worker_pool.run_job(harness, WorkerJob("inbox", kill_at_step=step))
        for _ in range(3):
            harness.advance_clock(minutes=11)
            harness.process_all_due()

        with harness.runtime.db.read_only() as session:
            stored = session.scalars(
                select(Run.id).where(Run.runner_id == runner_id)
            ).all()
            kinds = session.scalars(
                select(Mail.kind).where(
                    Mail.runner_id == runner_id, Mail.kind == "reconnect"
                )
            ).all()
        ends.append((len(stored), len(kinds)))

    assert set(ends) <= {(1, 0), (0, 1)}
    assert ends.count((0, 1)) <= 2
