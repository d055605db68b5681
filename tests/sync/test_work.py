"""The engine for due work, and what it promises for every kind of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event, select, update
from structlog.testing import capture_logs

from sync import work, work_status
from sync.backoff import LEASE, MAX_ATTEMPTS
from sync.inbox import dead_letters
from sync.mail import outbox
from sync.models import Connection, Event, Runner, RunnerWork
from sync.portability import exports
from sync.preferences import Preferences
from sync.queue import Job
from sync.runners import deletion
from sync.runtime import Runtime
from sync.simulator import activities
from sync.vocabulary import MailKind
from sync.work import DueWork
from tests.support.clock import NOON
from tests.support.harness import Harness
from tests.support.simulated_kill import SimulatedKill
from tests.support.smtp_servers import run_smtp_server
from workers.jobs import PROCESSORS

SECRET = "what a runner wrote"
ROUNDS = 30  # of an hour: much longer than all attempts take


def link_runners(harness: Harness, count: int = 2) -> list[int]:
    """Link runners, each with a run of some days ago that is not imported yet."""
    runner_ids = []
    for athlete_id in range(1, count + 1):
        athlete = harness.add_athlete(athlete_id)
        harness.finish_run(athlete, ended_minutes_ago=3 * 24 * 60)
        runner_ids.append(harness.link_runner(athlete))
    return runner_ids


def add_events(harness: Harness, count: int = 2) -> None:
    link_runners(harness, count)
    harness.process_all_due()
    for athlete_id in range(1, count + 1):
        athlete = activities.require_athlete(harness.world, athlete_id)
        run = harness.finish_run(athlete, ended_minutes_ago=30)
        harness.deliver_event(athlete, run.id, "create")


def add_undecided_runs(harness: Harness, count: int = 2) -> None:
    link_runners(harness, count)
    PROCESSORS[Job.BACKFILL](harness.runtime)


def set_preferences(harness: Harness, preferences: Preferences) -> None:
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(Runner).values(preferences=Preferences.model_validate(preferences))
        )


def add_checkin_days(harness: Harness, count: int = 2) -> None:
    link_runners(harness, count)
    set_preferences(harness, Preferences(checkins=True))


def add_weeks(harness: Harness, count: int = 2) -> None:
    harness.clock.at = NOON.replace(day=4, hour=9)  # a Monday
    link_runners(harness, count)
    harness.process_all_due()
    set_preferences(harness, Preferences(digest=True))


def add_mails(harness: Harness, count: int = 2) -> None:
    now = harness.clock()
    values = {"expires_at": now, "zone": "UTC"}
    for runner_id in link_runners(harness, count):
        with harness.runtime.db.transaction() as session:
            outbox.enqueue_mail(
                session,
                sealer=harness.runtime.sealer,
                now=now,
                dedupe_key=f"export:{runner_id}",
                kind=MailKind.EXPORT_READY,
                runner_id=runner_id,
                values=values,
                stale_at=now + timedelta(days=7),
            )


def add_comparisons(harness: Harness, count: int = 2) -> None:
    link_runners(harness, count)
    harness.process_all_due()
    harness.advance_clock(days=2)


def add_removals(harness: Harness, count: int = 2) -> None:
    for runner_id in link_runners(harness, count):
        deletion.request_deletion(harness.runtime, runner_id)
    harness.advance_clock(minutes=11)


def add_exports(harness: Harness, count: int = 2) -> None:
    for runner_id in link_runners(harness, count):
        exports.request_export(harness.runtime, runner_id)


class Prepare(Protocol):
    def __call__(self, harness: Harness, count: int = 2) -> object: ...


# Due items of each kind, one a runner.
PREPARE: Mapping[Job, Prepare] = {
    Job.INBOX: add_events,
    Job.BACKFILL: link_runners,
    Job.SURVEYS: add_undecided_runs,
    Job.CHECKINS: add_checkin_days,
    Job.DIGEST: add_weeks,
    Job.OUTBOX: add_mails,
    Job.RECONCILE: add_comparisons,
    Job.REMOVALS: add_removals,
    Job.EXPORT: add_exports,
}

every_job = pytest.mark.parametrize("job", list(PROCESSORS))


@dataclass
class Trap:
    """What is handled, and what befalls the first item that ever is."""

    befall: Callable[[], object] = lambda: None
    handled: list[str] = field(default_factory=list)

    @property
    def first(self) -> str:
        return self.handled[0]


def find_kind(job: Job) -> type[DueWork[Any]]:
    """Find the class that declares a kind of work; there is exactly one."""
    found: list[type[DueWork[Any]]] = []
    to_see: list[type[DueWork[Any]]] = DueWork.__subclasses__()
    while to_see:
        kind = to_see.pop()
        to_see += kind.__subclasses__()
        if getattr(kind, "job", None) == job:
            found.append(kind)
    [kind] = found
    return kind


@pytest.fixture
def worker(harness: Harness) -> Iterator[Runtime]:
    with run_smtp_server() as server:
        url = {"smtp_url": SecretStr(server.url)}
        settings = harness.runtime.settings.model_copy(update=url)
        yield replace(harness.runtime, settings=settings)


@pytest.fixture
def trap(job: Job, monkeypatch: pytest.MonkeyPatch) -> Trap:
    kind = find_kind(job)
    handle = kind.handle
    trap = Trap()

    def handle_or_fail(self: DueWork[Any], runtime: Runtime, item: Any) -> None:
        name = str(self.log_ids(item))
        trap.handled.append(name)
        if name == trap.first:
            trap.befall()
        handle(self, runtime, item)

    monkeypatch.setattr(kind, "handle", handle_or_fail)
    return trap


@contextmanager
def record_writes(engine: Engine) -> Iterator[list[str]]:
    writes: list[str] = []

    def record(*arguments: Any) -> None:
        if not arguments[2].lstrip().startswith(("SELECT", "BEGIN", "PRAGMA")):
            writes.append(arguments[2])

    event.listen(engine, "before_cursor_execute", record)
    yield writes
    event.remove(engine, "before_cursor_execute", record)


def fail() -> None:
    raise ZeroDivisionError(SECRET)


def die() -> None:
    raise SimulatedKill


def test_every_job_is_in_the_registry() -> None:
    assert set(PROCESSORS) == set(Job) == set(PREPARE)


@every_job
def test_a_failing_item_keeps_no_other_waiting_and_is_shown(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = fail

    with capture_logs() as lines:
        PROCESSORS[job](worker)

    assert len(set(trap.handled)) > 1
    assert trap.handled.count(trap.first) == 1
    counted = work_status.read_status(worker).counters
    assert counted[f"{job}: ZeroDivisionError"] == 1
    [line] = [line for line in lines if line["log_level"] == "error"]
    assert (line["event"], line["error"]) == ("work postponed", "ZeroDivisionError")
    assert SECRET not in str({key: line[key] for key in line if key != "exc_info"})


@every_job
def test_an_item_that_always_fails_is_set_aside(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = fail

    for _ in range(ROUNDS):
        PROCESSORS[job](worker)
        harness.advance_clock(hours=1)

    limit = find_kind(job).max_attempts
    # What is set aside may be tried once more on the next day.
    assert limit <= trap.handled.count(trap.first) <= limit + 1
    assert work_status.read_status(worker).counters[f"{job} given up"] >= 1


@every_job
def test_what_is_given_up_is_named_and_done_when_the_host_asks(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = fail
    for _ in range(ROUNDS):
        PROCESSORS[job](worker)
        if f"{job} given up" in work_status.read_status(worker).counters:
            break
        harness.advance_clock(minutes=30)
    attempts = trap.handled.count(trap.first)
    named = work_status.read_status(worker).retryable
    trap.befall = lambda: None

    revived = dead_letters.retry_failed(worker)
    PROCESSORS[job](worker)

    kind = "" if job is Job.INBOX else f"{job}: "
    assert named == {f"{kind}ZeroDivisionError": 1}
    assert revived.events + revived.other_work == 1
    assert trap.handled.count(trap.first) > attempts
    assert work_status.read_status(worker).retryable == {}
    assert dead_letters.retry_failed(worker) == dead_letters.Revived(0, 0)


@every_job
def test_an_item_that_fails_once_is_done_by_a_later_attempt(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = fail
    PROCESSORS[job](worker)
    trap.befall = lambda: None
    harness.advance_clock(minutes=3)

    PROCESSORS[job](worker)
    attempts = trap.handled.count(trap.first)
    harness.advance_clock(minutes=3)
    PROCESSORS[job](worker)

    # An import goes on with its next page.
    assert attempts == trap.handled.count(trap.first) == 2
    with worker.db.read_only() as session:
        assert session.scalars(select(RunnerWork.runner_id)).all() == []


@every_job
def test_an_item_that_kills_its_workers_is_set_aside(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = die

    for _ in range(MAX_ATTEMPTS + 5):
        with suppress(SimulatedKill):
            PROCESSORS[job](worker)
        harness.advance_clock(minutes=LEASE.total_seconds() / 60)

    assert trap.handled.count(trap.first) == find_kind(job).max_attempts
    counted = work_status.read_status(worker).counters
    assert counted[f"{job}: WorkerDied"] == counted[f"{job} given up"] == 1
    assert len(set(trap.handled)) > 1


@every_job
def test_what_a_worker_holds_no_other_takes(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = lambda: PROCESSORS[job](worker)

    PROCESSORS[job](worker)

    assert trap.handled.count(trap.first) == 1
    assert len(set(trap.handled)) > 1


def test_work_that_is_leased_is_leased_again_only_after_its_lease(
    harness: Harness,
) -> None:
    runner_id, now = harness.link_runner(harness.add_athlete()), harness.clock()

    with harness.runtime.db.transaction() as session:
        attempts = [
            work.lease_runner(
                session, Job.DIGEST, runner_id, now=moment, until=moment + LEASE
            )
            for moment in (now, now + LEASE / 2, now + LEASE)
        ]

    assert attempts == [1, None, 2]


# An import gives its runner back with its page alone, in the same transaction.
@pytest.mark.parametrize("job", [Job.INBOX, Job.RECONCILE])
def test_a_worker_that_is_stopped_releases_its_runner(
    harness: Harness, worker: Runtime, job: Job, trap: Trap
) -> None:
    PREPARE[job](harness)
    trap.befall = die

    with pytest.raises(SimulatedKill):
        PROCESSORS[job](worker)

    with worker.db.read_only() as session:
        assert session.scalars(select(Connection.busy_until)).all() == [None, None]


@every_job
def test_a_shift_that_ends_calls_the_next_one(
    harness: Harness,
    worker: Runtime,
    job: Job,
    trap: Trap,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PREPARE[job](harness)
    monkeypatch.setattr(work, "SHIFT_S", 0)
    harness.queue.wakes.clear()

    PROCESSORS[job](worker)
    after_one = len(trap.handled)
    PROCESSORS[job](worker)

    assert (after_one, len(trap.handled)) == (1, 2)
    assert job in harness.queue.wakes


@every_job
def test_where_nothing_is_due_nothing_is_written(
    harness: Harness, worker: Runtime, job: Job
) -> None:
    link_runners(harness)
    for _ in range(2):
        for process in PROCESSORS.values():
            process(worker)

    with record_writes(worker.db.engine) as writes:
        PROCESSORS[job](worker)

    assert writes == []


def test_the_host_has_what_was_set_aside_tried_again(
    harness: Harness, worker: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = (Job.BACKFILL, Job.SURVEYS)
    add_undecided_runs(harness)
    with monkeypatch.context() as patch:
        for job in jobs:
            patch.setattr(find_kind(job), "handle", lambda *_: fail())
            patch.setattr(find_kind(job), "max_attempts", 1)
        patch.setattr("sync.runs.claims.MAX_ATTEMPTS", 1)
        harness.link_runner(harness.add_athlete(3))
        for job in jobs:
            PROCESSORS[job](worker)
    shown = work_status.read_status(worker).retryable
    harness.queue.wakes.clear()

    revived = dead_letters.retry_failed(worker)
    harness.process_all_due()

    assert shown == {"backfill: ZeroDivisionError": 1, "surveys: ZeroDivisionError": 2}
    assert revived.other_work == 3
    assert set(jobs) <= set(harness.queue.wakes)
    assert work_status.read_status(worker).retryable == {}


def test_events_that_kill_their_workers_are_given_up_alone(
    harness: Harness, worker: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    athlete = activities.require_athlete(harness.world, 7)
    runs = [harness.finish_run(athlete, ended_minutes_ago=m) for m in (300, 200, 100)]
    for run in runs:
        harness.deliver_event(athlete, run.id, "create")
    kind = find_kind(Job.INBOX)
    handle = kind.handle

    def handle_or_die(self: DueWork[Any], runtime: Runtime, item: Any) -> None:
        if any(event.subject_id == runs[1].id for event in item.events):
            die()
        handle(self, runtime, item)

    monkeypatch.setattr(kind, "handle", handle_or_die)

    for _ in range(MAX_ATTEMPTS + 3):
        with suppress(SimulatedKill):
            PROCESSORS[Job.INBOX](worker)
        harness.advance_clock(minutes=LEASE.total_seconds() / 60)

    with worker.db.read_only() as session:
        parked = session.execute(
            select(Event.subject_id, Event.parked_for).where(
                Event.parked_for.is_not(None)
            )
        ).all()
        due = session.scalars(select(Event.id).where(Event.due_at.is_not(None))).all()
    assert [tuple(row) for row in parked] == [(runs[1].id, "WorkerDied")]
    assert due == []
