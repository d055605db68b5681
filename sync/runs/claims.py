"""Due rows of runners whom no other worker acts for, and putting them back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    and_,
    bindparam,
    case,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from sync import account_state, work
from sync.backoff import LEASE, MAX_ATTEMPTS, SET_ASIDE_INTERVAL
from sync.conflicts import retry_conflicts
from sync.database import Database, count_up
from sync.errors import StravaUnavailable
from sync.models import Backfill, Connection, ReconcileState
from sync.models.base import UtcDateTime
from sync.queue import Job
from sync.runners import store as runners
from sync.runs.reconcile_rules import FULL_INTERVAL
from sync.runtime import Runtime
from sync.work import Failure, Retry

_MAX_SCANNED = 20
# So often at most events may ask for a look at a runner's list, and for all of it.
_RECENT_INTERVAL = timedelta(hours=12)
_FULL_INTERVAL = timedelta(days=7)
FULL_DELAY = timedelta(minutes=5)

JobRow = TypeVar("JobRow", Backfill, ReconcileState)


@dataclass(frozen=True, slots=True)
class RunnerClaim:
    """A runner whose row of one kind is leased, with the attempt's number.

    `next_page` is the page of Strava's list that the work goes on with.
    """

    runner_id: int
    attempts: int
    next_page: int


def claim_next(
    session: Session, table: type[JobRow], *, now: datetime
) -> RunnerClaim | None:
    """Lease the longest-waiting runner whom no other worker has; count the attempt."""
    for runner_id in session.scalars(_due_statement(table), {"now": now}).all():
        if runners.acquire(session, runner_id, now=now, until=now + LEASE):
            row = session.execute(
                update(table)
                .where(table.runner_id == runner_id)
                .values(attempts=count_up(table.attempts))
                .returning(table.attempts, table.next_page)
                .execution_options(synchronize_session=False)
            ).one()
            return RunnerClaim(runner_id, row.attempts, row.next_page)
    return None


@cache  # building it costs more than running it
def _due_statement(table: type[JobRow]) -> Select[int]:
    now = bindparam("now", type_=UtcDateTime())
    return (
        select(table.runner_id)
        .join(Connection, Connection.runner_id == table.runner_id)
        .where(table.due_at <= now, Connection.broken_at.is_(None))
        .where(account_state.may_collect(table.runner_id))
        .where((Connection.busy_until.is_(None)) | (Connection.busy_until <= now))
        .order_by(table.due_at)
        .limit(_MAX_SCANNED)
    )


def load_claimed(
    runtime: Runtime, table: type[JobRow], claim: RunnerClaim
) -> JobRow | None:
    """Return the row of a claim; None if the runner left meanwhile."""
    with runtime.db.read_only() as session:
        return session.get(table, claim.runner_id)


def was_set_aside(claimed: Backfill | ReconcileState) -> bool:
    """Whether this is the one attempt a day at a row that was set aside."""
    return claimed.attempts >= MAX_ATTEMPTS


def postpone_row(
    session: Session,
    job: Job,
    table: type[JobRow],
    claim: RunnerClaim,
    failure: Failure,
    **values: object,
) -> Retry:
    """Make the row due again after its backoff, with these values.

    What Strava owes us is asked for again and again.  Anything else is set aside
    after `MAX_ATTEMPTS`: the host sees it, and it is tried once a day.
    """
    attempts = max(claim.attempts - failure.is_free, 0)
    is_owed = isinstance(failure.error, StravaUnavailable)
    is_given_up = not is_owed and attempts >= MAX_ATTEMPTS
    due_at = (
        failure.at + SET_ASIDE_INTERVAL
        if is_given_up
        else failure.next_attempt_at(attempts)
    )
    values |= {"attempts": min(attempts, MAX_ATTEMPTS - 1), "due_at": due_at}
    postponed_id = session.scalar(
        update(table)
        .where(table.runner_id == claim.runner_id)
        .values(values)
        .returning(table.runner_id)
        .execution_options(synchronize_session=False)
    )
    if postponed_id is None:
        return Retry(None)
    if is_given_up:
        work.set_aside(
            session, job, claim.runner_id, reason=failure.reason, due_at=due_at
        )
    return Retry(due_at, is_given_up)


def is_reconcile_too_late(db: Database) -> ColumnElement[bool]:
    """Whether events that were left to the list bring a reconciliation forward.

    The last days are compared twice a day at most, the whole list once a week, so
    that events which nobody can vouch for do not use up Strava's limit.
    """
    return or_(_is_recent_too_late(db), _is_full_too_late(db))


def _is_recent_too_late(db: Database) -> ColumnElement[bool]:
    return and_(
        ReconcileState.due_at > db.now_expression,
        or_(
            ReconcileState.swept_at.is_(None),
            ReconcileState.swept_at <= db.ago_expression(_RECENT_INTERVAL),
        ),
    )


def _is_full_too_late(db: Database) -> ColumnElement[bool]:
    return and_(
        ReconcileState.before.is_(None),
        ReconcileState.compared_at <= db.ago_expression(_FULL_INTERVAL),
        ReconcileState.compared_at > db.ago_expression(FULL_INTERVAL),
    )


@retry_conflicts
def bring_reconcile_forward(db: Database, runner_id: int) -> None:
    """Reconcile soon, if it `is_reconcile_too_late`.

    It locks no row but the one that it changes, so that it never waits for what else
    is done for this runner.
    """
    db.execute_autocommit(_forward_statement(db), {"whose": runner_id})


@retry_conflicts
def bring_full_reconcile_forward(runtime: Runtime, runner_id: int) -> None:
    """Compare the whole list soon: it holds old runs whose events were not stored.

    Only for a runner of whom Strava has just shown such a run.  A comparison that is
    under way has passed them already, so it begins anew; the delay lets it begin once
    for all that comes meanwhile.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        session.execute(
            update(ReconcileState)
            .where(ReconcileState.runner_id == runner_id)
            .values(
                due_at=now + FULL_DELAY,
                compared_at=now - FULL_INTERVAL,
                before=None,
                next_page=1,
                down_to=None,
            )
        )
    runtime.queue.wake(Job.RECONCILE, after_s=FULL_DELAY.total_seconds())


@lru_cache(maxsize=4)  # building it costs more than running it
def _forward_statement(db: Database) -> Executable:
    due_at = case(
        (_is_recent_too_late(db), db.now_expression), else_=ReconcileState.due_at
    )
    compared_at = case(
        (_is_full_too_late(db), db.ago_expression(FULL_INTERVAL)),
        else_=ReconcileState.compared_at,
    )
    return (
        update(ReconcileState)
        .where(ReconcileState.runner_id == bindparam("whose"))
        .where(is_reconcile_too_late(db))
        .values(due_at=due_at, compared_at=compared_at)
        .returning(ReconcileState.runner_id)
    )
