"""How the work stands, for the host: counts that say nothing about any runner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync import account_state, counters
from sync.errors import AccessRevoked, ScopeMissing
from sync.models import (
    Backfill,
    Connection,
    Event,
    Export,
    Mail,
    QuarantinedRecord,
    ReconcileState,
    Runner,
    RunnerWork,
)
from sync.runtime import Runtime

log = structlog.get_logger()

# Everything that waits for a worker, by name.
DUE_COLUMNS = {
    "inbox": Event.due_at,
    "backfill": Backfill.due_at,
    "sweep": ReconcileState.due_at,
    "outbox": Mail.due_at,
    "export": Export.due_at,
}
# Their runners have withdrawn what we would need, and only they can give it back.
NEEDS_RUNNER = (AccessRevoked.__name__, ScopeMissing.__name__)


@dataclass(frozen=True, slots=True)
class WorkStatus:
    """What is due and how late it is, and what needs the host's attention.

    Events and records are counted by the reason why they were given up, other work
    by its kind and that reason; `strava_error` is Strava's last failure, and when.
    """

    due: Mapping[str, int]
    late_s: Mapping[str, int]
    failed_events: Mapping[str, int]
    quarantined: Mapping[str, int]
    failed_work: Mapping[str, int]
    stopped_reconciles: int
    broken_links: int
    counters: Mapping[str, int]
    strava_error: tuple[str, datetime] | None

    @property
    def max_late_s(self) -> int:
        """How long the oldest of all due rows has waited."""
        return max(self.late_s.values())

    @property
    def retryable(self) -> dict[str, int]:
        """Return what another try may help, by reason."""
        events = {
            reason: n
            for reason, n in self.failed_events.items()
            if reason not in NEEDS_RUNNER
        }
        return events | dict(self.quarantined) | dict(self.failed_work)


def read_status(runtime: Runtime) -> WorkStatus:
    """Read how every kind of work stands."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        workload = count_due(session, now)
        stopped_count = select(func.count()).where(
            ReconcileState.stopped_for.is_not(None)
        )
        broken_count = select(func.count()).where(Connection.broken_at.is_not(None))
        return WorkStatus(
            due=workload.due,
            late_s=workload.late_s,
            failed_events=_count_by_reason(session, Event.parked_for),
            quarantined=_count_by_reason(session, QuarantinedRecord.reason),
            failed_work=_count_failed_work(session),
            stopped_reconciles=session.scalar(stopped_count) or 0,
            broken_links=session.scalar(broken_count) or 0,
            counters=counters.load_counts(session),
            strava_error=counters.latest_strava_error(session),
        )


def log_status(runtime: Runtime) -> None:
    """Leave one line in the log that says how the work stands."""
    status = read_status(runtime)
    log.info(
        "work stands",
        due=sum(status.due.values()),
        latest_s=status.max_late_s,
        given_up=sum(status.failed_events.values()),
        set_aside=sum(status.quarantined.values()),
        given_up_work=sum(status.failed_work.values()),
        broken_links=status.broken_links,
    )


@dataclass(frozen=True, slots=True)
class Workload:
    """For each kind of work how much is due, and for how many seconds the oldest."""

    due: dict[str, int]
    late_s: dict[str, int]


def count_due(session: Session, now: datetime) -> Workload:
    due, late_s = {}, {}
    for name, due_at in DUE_COLUMNS.items():
        count_and_oldest = select(func.count(), func.min(due_at)).where(due_at <= now)
        is_claimable = _claimable_rows(name)
        count, oldest = session.execute(count_and_oldest.where(is_claimable)).one()
        due[name] = count
        late_s[name] = int((now - oldest).total_seconds()) if oldest else 0
    # A removal that fails is begun again and again; when it was promised stays.
    is_abandoned = Runner.leaving_since <= now - account_state.DELETION_GRACE
    rows = session.execute(
        select(Runner.erase_at, Runner.leaving_since).where(
            or_(Runner.erase_at <= now, is_abandoned)
        )
    )
    deadlines = [
        erase_at or (started_at + account_state.DELETION_GRACE if started_at else now)
        for erase_at, started_at in rows
    ]
    overdue_s = [int((now - deadline).total_seconds()) for deadline in deadlines]
    due["leaving"], late_s["leaving"] = len(overdue_s), max(overdue_s, default=0)
    return Workload(due, late_s)


def _claimable_rows(name: str) -> ColumnElement[bool]:
    """Say in a query which rows a worker would claim; the others are not late."""
    match name:
        case "inbox":
            is_being_deleted = Runner.erase_at.is_not(None)
            return ~exists().where(
                Runner.athlete_id == Event.athlete_id, is_being_deleted
            )
        case "backfill":
            return _is_linked(Backfill.runner_id)
        case "sweep":
            return _is_linked(ReconcileState.runner_id)
        case _:
            return true()


def _is_linked(runner_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    is_healthy = Connection.broken_at.is_(None)
    return and_(
        exists().where(Connection.runner_id == runner_id, is_healthy),
        account_state.may_collect(runner_id),
    )


def _count_by_reason(
    session: Session, reason: InstrumentedAttribute[Any]
) -> dict[str, int]:
    statement = select(reason, func.count()).where(reason.is_not(None)).group_by(reason)
    return {value: count for value, count in session.execute(statement) if value}


def _count_failed_work(session: Session) -> dict[str, int]:
    rows = session.execute(
        select(RunnerWork.job, RunnerWork.set_aside_for, func.count())
        .where(RunnerWork.set_aside_for.is_not(None))
        .group_by(RunnerWork.job, RunnerWork.set_aside_for)
    )
    return {f"{job}: {reason}": count for job, reason, count in rows}
