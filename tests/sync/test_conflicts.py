"""Units of work that lose a race run again as a whole, and never do a thing twice."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from threading import Timer

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from sync.conflicts import MAX_ATTEMPTS, MAX_ATTEMPTS_AT_ROWS, retry_conflicts
from sync.database import Database, open_engine, wake_after_commit
from sync.models import Counter, Runner, Subscription
from sync.queue import Job
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.lost_races import LostRaces
from tests.support.recording_queue import RecordingQueue


def save_subscription(runtime: Runtime, number: int) -> None:
    with runtime.db.transaction() as session:
        session.add(Subscription(id=number, made_at=runtime.db.now(session)))


def count_attempts(
    work: Callable[[], object], error: type[Exception] | tuple[type[Exception], ...]
) -> int:
    attempts = []

    @retry_conflicts
    def run() -> None:
        attempts.append(1)
        work()

    with pytest.raises(error):
        run()
    return len(attempts)


def test_what_the_winner_wrote_is_found_by_the_second_attempt(
    runtime: Runtime, queue: RecordingQueue
) -> None:
    attempts: list[int] = []

    @retry_conflicts
    def save_unless_there(number: int) -> bool:
        is_there = bool(attempts)
        attempts.append(number)
        with runtime.db.transaction() as session:
            wake_after_commit(session, Job.INBOX)
            if is_there and session.get(Subscription, number) is not None:
                return False
            session.add(Subscription(id=number, made_at=runtime.db.now(session)))
        return True

    save_subscription(runtime, 7)

    assert save_unless_there(7) is False
    assert attempts == [7, 7]
    assert queue.wakes == [Job.INBOX]  # the first attempt woke nobody


def test_a_row_that_is_in_the_way_for_good_stays_an_error(runtime: Runtime) -> None:
    save_subscription(runtime, 7)

    attempts = count_attempts(lambda: save_subscription(runtime, 7), IntegrityError)

    assert attempts == MAX_ATTEMPTS_AT_ROWS


def test_a_row_that_is_gone_is_looked_for_again(runtime: Runtime) -> None:
    def load() -> None:
        with runtime.db.read_only() as session:
            session.get_one(Runner, 1)

    assert count_attempts(load, NoResultFound) == MAX_ATTEMPTS_AT_ROWS


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO subscription (id) VALUES (1)",  # made_at must not be NULL
        "SELECT nothing FROM nowhere",
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_mistake_of_ours_is_made_once(runtime: Runtime, statement: str) -> None:
    def execute() -> None:
        with runtime.db.transaction() as session:
            session.execute(text(statement))

    assert count_attempts(execute, Exception) == 1


def test_what_was_committed_is_not_done_again(runtime: Runtime) -> None:
    def save_both() -> None:
        save_subscription(runtime, 8)
        save_subscription(runtime, 7)

    save_subscription(runtime, 7)

    assert count_attempts(save_both, IntegrityError) == 1


def test_what_was_asked_of_strava_is_not_asked_again(
    harness: Harness, runtime: Runtime
) -> None:
    def ask_and_save() -> None:
        runtime.strava.subscriptions()
        save_subscription(runtime, 7)

    save_subscription(runtime, 7)

    assert count_attempts(ask_and_save, IntegrityError) == 1


def test_what_comes_behind_a_commit_runs_again_by_itself(runtime: Runtime) -> None:
    attempts = {"both": 0, "second": 0}

    @retry_conflicts
    def save_second() -> None:
        attempts["second"] += 1
        save_subscription(runtime, 7)

    @retry_conflicts
    def save_both() -> None:
        attempts["both"] += 1
        save_subscription(runtime, 8)
        save_second()

    save_subscription(runtime, 7)
    with pytest.raises(IntegrityError):
        save_both()

    assert attempts == {"both": 1, "second": MAX_ATTEMPTS_AT_ROWS}


def test_one_that_can_still_run_again_does_it_for_those_within(
    runtime: Runtime,
) -> None:
    inner = retry_conflicts(save_subscription)
    save_subscription(runtime, 7)

    attempts = count_attempts(lambda: inner(runtime, 7), IntegrityError)

    assert attempts == MAX_ATTEMPTS_AT_ROWS


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_serialization_failure_runs_again(runtime: Runtime) -> None:
    with LostRaces.install(runtime.db.engine) as lost_races, lost_races.lose():
        retry_conflicts(save_subscription)(runtime, 7)

    with runtime.db.read_only() as session:
        assert session.scalars(select(Subscription.id)).all() == [7]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_deadlock_that_stays_one_is_given_up(runtime: Runtime) -> None:
    def lose() -> None:
        with runtime.db.transaction() as session:
            session.execute(
                text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE='40P01'; END $$")
            )

    assert count_attempts(lose, OperationalError) == MAX_ATTEMPTS


def test_a_locked_sqlite_is_tried_again(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "locked.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=1"))
    with engine.begin() as connection:
        Counter.metadata.create_all(connection)
    own = replace(runtime, db=Database(engine, runtime.queue, clock=runtime.now))
    with closing(connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            save_subscription(own, 7)
        Timer(0.2, other.rollback).start()

        retry_conflicts(save_subscription)(own, 7)

    with own.db.read_only() as session:
        assert session.get(Subscription, 7) is not None
    own.db.close()
