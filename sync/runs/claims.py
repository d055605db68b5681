"""Whose turn it is: due rows, one at a time, of runners whom nobody else works on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.models import Backfill, Connection, ReconcileState
from sync.models.base import UtcDateTime
from sync.runners import store as runners

LEASE = timedelta(minutes=5)  # longer than a task may live
_MAX_SCANNED = 20

JobRow = TypeVar("JobRow", Backfill, ReconcileState)


def claim_next(
    session: Session, table: type[JobRow], *, now: datetime
) -> JobRow | None:
    """Hold the longest-waiting runner whom nobody else works on; return their row.

    The attempt is counted before the work: what kills its worker must not come
    back for ever at full speed.
    """
    rows: Sequence[JobRow] = session.scalars(_due_statement(table), {"now": now}).all()
    for row in rows:
        if runners.acquire(session, row.runner_id, now=now, until=now + LEASE):
            row.attempts += 1
            return row
    return None


@cache  # building it costs more than running it
def _due_statement(table: type[JobRow]) -> Select[JobRow]:
    now = bindparam("now", type_=UtcDateTime())
    return (
        select(table)
        .join(Connection, Connection.runner_id == table.runner_id)
        .where(table.due_at <= now, Connection.broken_at.is_(None))
        .where(account_state.may_collect(table.runner_id))
        .where((Connection.busy_until.is_(None)) | (Connection.busy_until <= now))
        .order_by(table.due_at)
        .limit(_MAX_SCANNED)
    )
