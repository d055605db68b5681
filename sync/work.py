"""The engine for due work: claim, do, settle or postpone, until the shift ends.

Each kind of work declares how its rows are claimed, done and put back.  The order
of these steps, the shift, and what happens to a row that fails are written here
alone, so that a row that is given up is always counted and logged, and never keeps
others waiting.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, ClassVar, Generic, TypeVar

import structlog
from sqlalchemy import ColumnElement, delete, literal, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from typing_extensions import override

from sync import counters
from sync.backoff import (
    LEASE,
    MAX_ATTEMPTS,
    SET_ASIDE_INTERVAL,
    counts_as_attempt,
    next_attempt_at,
)
from sync.conflicts import count_attempts, mark_effect, retry_conflicts
from sync.database import count_up, dialect_insert
from sync.errors import MoodmilesError
from sync.models import Runner, RunnerWork
from sync.queue import Job
from sync.runtime import Runtime

log = structlog.get_logger()

# Celery stops a task that runs for much longer, in the middle of something.
SHIFT_S = 20

ItemT = TypeVar("ItemT")
DetailT = TypeVar("DetailT")


class WorkerDied(Exception):
    """Every attempt at a row ended with its worker, which could not say why."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item could not be done, and when that was, by the database's clock."""

    error: Exception
    at: datetime

    @property
    def is_foreseen(self) -> bool:
        """Whether it was raised on purpose; else it is a mistake of ours."""
        return isinstance(self.error, MoodmilesError)

    @property
    def is_free(self) -> bool:
        """Whether it says nothing about the item, so that it costs no attempt."""
        return not counts_as_attempt(self.error)

    @property
    def reason(self) -> str:
        """The error's class: its text may quote what a runner wrote."""
        return type(self.error).__name__

    def next_attempt_at(self, attempts: int) -> datetime:
        return next_attempt_at(self.error, attempts=attempts, now=self.at)


@dataclass(frozen=True, slots=True)
class Retry:
    """When an item is tried again (None: never), and whether the host is told.

    `details` are for the log alone.
    """

    due_at: datetime | None
    is_given_up: bool = False
    details: Mapping[str, object] = field(default_factory=dict)


class DueWork(ABC, Generic[ItemT]):
    """One kind of due work; an item is what one claim takes."""

    job: ClassVar[Job]
    max_attempts: ClassVar[int] = MAX_ATTEMPTS
    reads_strava: ClassVar[bool] = False

    @abstractmethod
    def claim(self, runtime: Runtime) -> Iterator[ItemT]:
        """Yield due items; each is leased, and its attempt counted, beforehand.

        An item that kills its worker is thus given up in the end.  A claim reads keys
        and numbers alone: a row that cannot be read must fail in `handle`.
        """

    def require_readable(self, item: ItemT) -> None:
        """Raise what kept the claim from reading what the item is about."""

    @abstractmethod
    def handle(self, runtime: Runtime, item: ItemT) -> None:
        """Read the item and do the work; any exception postpones the item."""

    @abstractmethod
    def postpone(self, session: Session, item: ItemT, failure: Failure) -> Retry:
        """Put the item back for later, or give it up so that the host sees it.

        It reads no row of the item's, as that may be what fails.
        """

    def release(self, runtime: Runtime, item: ItemT) -> None:
        """Let go of what the claim holds besides the row itself."""

    @abstractmethod
    def attempts(self, item: ItemT) -> int:
        """Return how many attempts were begun, this one included."""

    @abstractmethod
    def log_ids(self, item: ItemT) -> Mapping[str, object]:
        """Return the ids that name the item in the log."""


def process_due(runtime: Runtime, kind: DueWork[ItemT]) -> None:
    """Do all that is due, until nothing is or the shift ends and another begins."""
    runtime.queue.mark_started(kind.job)
    ends_at = monotonic() + SHIFT_S
    claims = _Claims(runtime, kind)
    while (item := claims.next()) is not None:
        try:
            with attempt(runtime, kind, item):
                if kind.attempts(item) > kind.max_attempts:
                    raise WorkerDied
                kind.require_readable(item)
                retry_conflicts(kind.handle)(runtime, item)
        finally:
            retry_conflicts(kind.release)(runtime, item)
        if monotonic() > ends_at:
            runtime.queue.wake(kind.job)
            return


class _Claims(Generic[ItemT]):
    """The items of one shift; a claim that loses a race is made again."""

    def __init__(self, runtime: Runtime, kind: DueWork[ItemT]) -> None:
        self._runtime = runtime
        self._kind = kind
        self._items = kind.claim(runtime)

    @retry_conflicts
    def next(self) -> ItemT | None:
        try:
            return next(self._items, None)
        except Exception:
            # A generator that has raised is at its end, and what is due is still due.
            self._items = self._kind.claim(self._runtime)
            raise


@contextmanager
def attempt(runtime: Runtime, kind: DueWork[ItemT], item: ItemT) -> Generator[None]:
    """Postpone the item if what is done within raises anything, and go on after it."""
    mark_effect()  # what fails within is caught here, so no one around runs it again
    try:
        yield
    # What is wrong with one item must not keep the others waiting.
    except Exception as error:  # noqa: BLE001
        postpone(runtime, kind, item, error)


@retry_conflicts
def postpone(
    runtime: Runtime, kind: DueWork[ItemT], item: ItemT, error: Exception
) -> None:
    """Put a failed item back, count the failure, and log it by its ids."""
    with runtime.db.transaction() as session:
        failure = Failure(error, runtime.db.now(session))
        retry = kind.postpone(session, item, failure)
        if not isinstance(error, MoodmilesError):
            counters.increment(session, f"{kind.job}: {failure.reason}", at=failure.at)
        elif kind.reads_strava:
            counters.record_strava_error(session, error, at=failure.at)
        if retry.is_given_up:
            counters.increment(session, f"{kind.job} given up", at=failure.at)
    if retry.due_at is not None:
        wait_s = (retry.due_at - failure.at).total_seconds()
        runtime.queue.wake(kind.job, after_s=max(wait_s, 0))
    outcome = "ended" if retry.due_at is None else "postponed"
    report = log.warning if failure.is_foreseen else log.error
    report(
        f"work {'given up' if retry.is_given_up else outcome}",
        job=kind.job,
        **kind.log_ids(item),
        **retry.details,
        error=failure.reason,
        due_at=str(retry.due_at),
        # Only where it was raised gets into the log: see `sync.log`.
        exc_info=None if failure.is_foreseen else error,
    )


@dataclass(frozen=True, slots=True)
class RunnerTask(Generic[DetailT]):
    """Work about one runner that has no row of its own.

    `error` says why the runner's rows could not be read; there is no `detail` then.
    """

    runner_id: int
    detail: DetailT
    attempts: int = 1
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class RunnerRange:
    """Runners from one number to another, both included; all of them by default."""

    first: int | None = None
    last: int | None = None

    def includes(self, runner_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Say in a query that a row is about one of these runners."""
        if self.first is None or self.last is None:
            return true()
        return runner_id.between(self.first, self.last)


class RunnerDueWork(DueWork[RunnerTask[DetailT]]):
    """Work about runners that the tables show to be due, without a row of its own.

    Its lease, its attempts and its backoff are rows of `RunnerWork`, which exist
    only while something is under way or has failed.
    """

    lease: ClassVar[timedelta] = LEASE

    @abstractmethod
    def find_due(
        self, session: Session, *, now: datetime, runners: RunnerRange
    ) -> list[RunnerTask[DetailT]]:
        """Return what the tables show to be due, whether or not it is leased."""

    @override
    def claim(self, runtime: Runtime) -> Iterator[RunnerTask[DetailT]]:
        for task in self._find_unleased(runtime):
            attempts = self._lease(runtime, task.runner_id)
            if attempts is not None:
                yield replace(task, attempts=attempts)

    @override
    def require_readable(self, item: RunnerTask[DetailT]) -> None:
        if item.error is not None:
            raise item.error

    def _find_unleased(self, runtime: Runtime) -> list[RunnerTask[DetailT]]:
        try:
            with runtime.db.read_only() as session:
                now = runtime.db.now(session)
                tasks = self.find_due(session, now=now, runners=RunnerRange())
                postponed_ids = self._load_postponed_ids(session, now) if tasks else ()
        except Exception as error:
            if count_attempts(error) > 1:
                raise
        else:
            return [task for task in tasks if task.runner_id not in postponed_ids]
        with runtime.db.read_only() as session:
            now = runtime.db.now(session)
            postponed_ids = self._load_postponed_ids(session, now)
            runner_ids = session.scalars(select(Runner.id).order_by(Runner.id)).all()
        unleased_ids = [id_ for id_ in runner_ids if id_ not in postponed_ids]
        return [*self._find_one_by_one(runtime, unleased_ids, now=now)]

    def _load_postponed_ids(self, session: Session, now: datetime) -> set[int]:
        return set(
            session.scalars(
                select(RunnerWork.runner_id).where(
                    RunnerWork.job == self.job, RunnerWork.due_at > now
                )
            )
        )

    def _find_one_by_one(
        self, runtime: Runtime, runner_ids: Sequence[int], *, now: datetime
    ) -> Iterator[RunnerTask[DetailT]]:
        """Find what is due although the rows of some runners cannot be read.

        Whatever half of the runners fails is halved again, down to those who do.
        """
        if not runner_ids:
            return
        runners = RunnerRange(runner_ids[0], runner_ids[-1])
        try:
            with runtime.db.read_only() as session:
                tasks = self.find_due(session, now=now, runners=runners)
        except Exception as error:
            if count_attempts(error) > 1:
                raise
            if len(runner_ids) == 1:
                unread: RunnerTask[Any] = RunnerTask(runner_ids[0], None, error=error)
                yield unread
                return
            middle = len(runner_ids) // 2
            yield from self._find_one_by_one(runtime, runner_ids[:middle], now=now)
            yield from self._find_one_by_one(runtime, runner_ids[middle:], now=now)
        else:
            yield from tasks

    @retry_conflicts
    def _lease(self, runtime: Runtime, runner_id: int) -> int | None:
        with runtime.db.transaction() as session:
            now = runtime.db.now(session)
            return lease_runner(
                session, self.job, runner_id, now=now, until=now + self.lease
            )

    def settle(self, session: Session, task: RunnerTask[DetailT]) -> None:
        """Forget the lease and every failure: the work is done."""
        forget_failure(session, self.job, task.runner_id)

    @override
    def postpone(
        self, session: Session, item: RunnerTask[DetailT], failure: Failure
    ) -> Retry:
        attempts = item.attempts - failure.is_free
        is_given_up = not failure.is_free and attempts >= self.max_attempts
        due_at = (
            failure.at + SET_ASIDE_INTERVAL
            if is_given_up
            else failure.next_attempt_at(attempts)
        )
        updates: dict[str, object] = {
            "due_at": due_at,
            "attempts": min(attempts, self.max_attempts - 1),
        }
        if is_given_up:
            updates["set_aside_for"] = failure.reason
        session.execute(
            update(RunnerWork)
            .where(RunnerWork.runner_id == item.runner_id, RunnerWork.job == self.job)
            .values(updates)
        )
        return Retry(due_at, is_given_up)

    @override
    def attempts(self, item: RunnerTask[DetailT]) -> int:
        return item.attempts

    @override
    def log_ids(self, item: RunnerTask[DetailT]) -> Mapping[str, object]:
        return {"runner_id": item.runner_id}


def lease_runner(
    session: Session, job: Job, runner_id: int, *, now: datetime, until: datetime
) -> int | None:
    """Lease this work; return the attempt's number, or None if it is not due."""
    row = {"runner_id": Runner.id, "job": literal(job.value)}
    row |= {
        "due_at": literal(until, RunnerWork.due_at.type),
        "attempts": literal(1),
    }
    # A runner who is being deleted just now is waited for, and then not found.
    runner = (
        select(*row.values())
        .where(Runner.id == runner_id)
        .with_for_update(read=True, key_share=True)
    )
    statement = dialect_insert(session, RunnerWork).from_select([*row], runner)
    return session.scalar(
        statement.on_conflict_do_update(
            index_elements=["runner_id", "job"],
            set_={
                "due_at": statement.excluded.due_at,
                "attempts": count_up(RunnerWork.attempts),
            },
            where=RunnerWork.due_at <= now,
        )
        .returning(RunnerWork.attempts)
        .execution_options(synchronize_session=False)
    )


def set_aside(
    session: Session, job: Job, runner_id: int, *, reason: str, due_at: datetime
) -> None:
    """Show the host that work which has a row of its own has been given up."""
    values = {"due_at": due_at, "attempts": 0, "set_aside_for": reason}
    session.execute(
        dialect_insert(session, RunnerWork)
        .values(runner_id=runner_id, job=job.value, **values)
        .on_conflict_do_update(index_elements=["runner_id", "job"], set_=values)
    )


def forget_failure(
    session: Session, job: Job, runner_id: int, *conditions: ColumnElement[bool]
) -> None:
    session.execute(
        delete(RunnerWork).where(
            RunnerWork.runner_id == runner_id, RunnerWork.job == job, *conditions
        )
    )
