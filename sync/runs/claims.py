"""Whose turn it is: due rows, one at a time, of runners whom nobody else works on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.models import Backfill, Connection, Sweep
from sync.models.base import UtcDateTime
from sync.runners import store as runners

LEASE = timedelta(minutes=5)  # longer than a task may live
_LOOKED_AT = 20

Row = TypeVar("Row", Backfill, Sweep)


def take(session: Session, table: type[Row], *, now: datetime) -> Row | None:
    """Hold the longest-waiting runner whom nobody else works on; return their row.

    The attempt is counted before the work: what kills its worker must not come
    back for ever at full speed.
    """
    rows: Sequence[Row] = session.scalars(_waiting(table), {"now": now}).all()
    for row in rows:
        if runners.hold(session, row.runner_id, now=now, until=now + LEASE):
            row.attempts += 1
            return row
    return None


@cache  # building it costs more than running it
def _waiting(table: type[Row]) -> Select[Row]:
    now = bindparam("now", type_=UtcDateTime())
    return (
        select(table)
        .join(Connection, Connection.runner_id == table.runner_id)
        .where(table.due_at <= now, Connection.broken_at.is_(None))
        .where(account_state.may_collect(table.runner_id))
        .where((Connection.busy_until.is_(None)) | (Connection.busy_until <= now))
        .order_by(table.due_at)
        .limit(_LOOKED_AT)
    )
