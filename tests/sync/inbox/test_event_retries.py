"""Events that cannot be acted on yet are tried again, by one worker at a time."""

from datetime import timedelta

from sqlalchemy import select

from sync.inbox import handle
from sync.models import (
    Connection,
    Event,
)
from sync.queue import Work
from sync.simulator.records import Fault
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of, linked, runs_of

__all__ = ["linked"]


def test_a_run_announced_too_early_is_asked_for_again(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 424_242, "create")

    linked.work()

    assert linked.queue.later == [(Work.INBOX, 30.0)]


def test_a_run_that_never_appears_is_asked_for_three_times_more(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 424_242, "create")
    before = linked.reads()

    for wait_s in (0, 30, 120, 600, 3600, 86400):
        linked.pass_time(seconds=wait_s)
        linked.work()

    assert [wait_s for _, wait_s in linked.queue.later] == [30.0, 120.0, 600.0]
    assert linked.reads() - before == 4
    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Event.due_at)).one() is None


def test_a_429_pauses_and_costs_no_attempt(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    with linked.world.change():
        linked.world.faults.put(
            Fault(id=1, kind="status", status=429, on="detail", times=1)
        )
    linked.tell(athlete_of(linked), run.id, "create")

    linked.work()

    with linked.runtime.db.reading() as session:
        event = session.scalars(select(Event)).one()
    assert event.attempts == 0
    assert event.due_at is not None
    assert event.due_at > linked.clock()


def test_only_one_worker_acts_for_a_runner(linked: Stage) -> None:
    run = linked.run(athlete_of(linked))
    with linked.runtime.db.transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.busy_until = linked.clock() + timedelta(minutes=5)
    linked.tell(athlete_of(linked), run.id, "create")

    handle.drain(linked.runtime)

    assert runs_of(linked) == []


def test_work_left_by_a_dead_worker_is_taken_up_after_its_lease(
    linked: Stage,
) -> None:
    run = linked.run(athlete_of(linked))
    linked.tell(athlete_of(linked), run.id, "create")
    with linked.runtime.db.transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.busy_until = linked.clock() + timedelta(minutes=5)

    linked.pass_time(minutes=6)
    linked.work()

    assert len(runs_of(linked)) == 1
