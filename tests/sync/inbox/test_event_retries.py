"""Events that cannot be acted on yet are tried again, by one worker at a time."""

from datetime import timedelta

from sqlalchemy import select

from sync.inbox import handle
from sync.models import (
    Connection,
    Event,
)
from sync.queue import Job
from sync.simulator.records import SimulatedFault
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, linked_harness, list_runs

__all__ = ["linked_harness"]


def test_a_run_announced_too_early_is_asked_for_again(linked_harness: Harness) -> None:
    linked_harness.deliver_event(get_athlete(linked_harness), 424_242, "create")

    linked_harness.process_all_due()

    assert linked_harness.queue.delayed_wakes == [(Job.INBOX, 30.0)]


def test_a_run_that_never_appears_is_asked_for_three_times_more(
    linked_harness: Harness,
) -> None:
    linked_harness.deliver_event(get_athlete(linked_harness), 424_242, "create")
    before = linked_harness.count_strava_reads()

    for wait_s in (0, 30, 120, 600, 3600, 86400):
        linked_harness.advance_clock(seconds=wait_s)
        linked_harness.process_all_due()

    assert [wait_s for _, wait_s in linked_harness.queue.delayed_wakes] == [
        30.0,
        120.0,
        600.0,
    ]
    assert linked_harness.count_strava_reads() - before == 4
    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Event.due_at)).one() is None


def test_a_429_pauses_and_costs_no_attempt(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    with linked_harness.world.transaction():
        linked_harness.world.faults.put(
            SimulatedFault(id=1, kind="status", status=429, on="detail", times=1)
        )
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")

    linked_harness.process_all_due()

    with linked_harness.runtime.db.read_only() as session:
        event = session.scalars(select(Event)).one()
    assert event.attempts == 0
    assert event.due_at is not None
    assert event.due_at > linked_harness.clock()


def test_only_one_worker_acts_for_a_runner(linked_harness: Harness) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    with linked_harness.runtime.db.transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.busy_until = linked_harness.clock() + timedelta(minutes=5)
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")

    handle.process_due(linked_harness.runtime)

    assert list_runs(linked_harness) == []


def test_work_left_by_a_dead_worker_is_taken_up_after_its_lease(
    linked_harness: Harness,
) -> None:
    run = linked_harness.finish_run(get_athlete(linked_harness))
    linked_harness.deliver_event(get_athlete(linked_harness), run.id, "create")
    with linked_harness.runtime.db.transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.busy_until = linked_harness.clock() + timedelta(minutes=5)

    linked_harness.advance_clock(minutes=6)
    linked_harness.process_all_due()

    assert len(list_runs(linked_harness)) == 1
