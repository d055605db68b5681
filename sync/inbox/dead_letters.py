"""Work that was given up: another try, when a host asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from sync.backoff import MAX_ATTEMPTS
from sync.conflicts import retry_conflicts
from sync.database import wake_after_commit
from sync.models import Backfill, Event, Export, Mail, ReconcileState, RunnerWork
from sync.queue import Job
from sync.runtime import Runtime
from sync.work_status import NEEDS_RUNNER


@dataclass(frozen=True, slots=True)
class Revived:
    """How many events, and how much other work, is due again."""

    events: int
    other_work: int


@dataclass(frozen=True, slots=True)
class _OwnRow:
    """The table of a kind of work, and which of a runner's rows are tried again."""

    table: type[Backfill | ReconcileState | Mail | Export]
    is_given_up: Sequence[ColumnElement[bool]] = ()


_OWN_ROWS: Mapping[str, _OwnRow] = {
    Job.BACKFILL: _OwnRow(Backfill),
    Job.RECONCILE: _OwnRow(ReconcileState),
    Job.OUTBOX: _OwnRow(
        Mail, (Mail.due_at.is_not(None), Mail.attempts >= MAX_ATTEMPTS - 1)
    ),
    Job.EXPORT: _OwnRow(Export, (Export.due_at.is_(None), Export.expires_at.is_(None))),
}


@retry_conflicts
def retry_failed(runtime: Runtime) -> Revived:
    """Make due again what was given up and may be done after all."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        event_ids = session.scalars(
            update(Event)
            .where(Event.parked_for.is_not(None), Event.parked_for.not_in(NEEDS_RUNNER))
            .values(due_at=now, attempts=0, parked_for=None)
            .returning(Event.id)
        ).all()
        if event_ids:
            wake_after_commit(session, Job.INBOX)
        other_work = _retry_runner_work(session, now)
    return Revived(len(event_ids), other_work)


def _retry_runner_work(session: Session, now: datetime) -> int:
    failed = session.execute(
        select(RunnerWork.job, RunnerWork.runner_id).where(
            RunnerWork.set_aside_for.is_not(None)
        )
    ).all()
    for job, runner_id in failed:
        # Some kinds of work have a row of their own, which says when it is due.
        own_row = _OWN_ROWS.get(job)
        if own_row is not None:
            session.execute(
                update(own_row.table)
                .where(own_row.table.runner_id == runner_id, *own_row.is_given_up)
                .values(due_at=now, attempts=0)
            )
        wake_after_commit(session, Job(job))
    session.execute(delete(RunnerWork).where(RunnerWork.set_aside_for.is_not(None)))
    return len(failed)
