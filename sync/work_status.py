"""How the work stands, in counts that tell nothing of anybody: for whoever hosts it."""

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
    Runner,
    SetAside,
    Sweep,
)
from sync.runtime import Runtime

log = structlog.get_logger()

# Everything that waits for a worker, by name.
DUE = {
    "inbox": Event.due_at,
    "backfill": Backfill.due_at,
    "sweep": Sweep.due_at,
    "outbox": Mail.due_at,
    "export": Export.due_at,
}
# Their runners have withdrawn what we would need, and only they can give it back.
HOPELESS = (AccessRevoked.__name__, ScopeMissing.__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is due and how late it is, and what needs somebody to look at it.

    `given_up` events and the records `set_aside` are counted by their reason;
    `trouble` is how Strava failed us last, and when.
    """

    due: Mapping[str, int]
    late_s: Mapping[str, int]
    given_up: Mapping[str, int]
    set_aside: Mapping[str, int]
    stopped_sweeps: int
    broken_links: int
    oddities: Mapping[str, int]
    trouble: tuple[str, datetime] | None

    @property
    def latest_s(self) -> int:
        """How long the oldest of all due rows has waited."""
        return max(self.late_s.values())

    @property
    def to_retry(self) -> dict[str, int]:
        """Return the events and records that another try may help, by reason."""
        events = {why: n for why, n in self.given_up.items() if why not in HOPELESS}
        return events | dict(self.set_aside)


def look(runtime: Runtime) -> Condition:
    """Look at every kind of work once; nothing is changed."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        due, late_s = waiting(session, now)
        stopped = select(func.count()).where(Sweep.stopped_for.is_not(None))
        broken = select(func.count()).where(Connection.broken_at.is_not(None))
        return Condition(
            due=due,
            late_s=late_s,
            given_up=_by_reason(session, Event.parked_for),
            set_aside=_by_reason(session, SetAside.reason),
            stopped_sweeps=session.scalar(stopped) or 0,
            broken_links=session.scalar(broken) or 0,
            oddities=counters.counted(session),
            trouble=counters.latest_trouble(session),
        )


def report(runtime: Runtime) -> None:
    """Leave one line in the log that says how the work stands."""
    found = look(runtime)
    log.info(
        "work stands",
        due=sum(found.due.values()),
        latest_s=found.latest_s,
        given_up=sum(found.given_up.values()),
        set_aside=sum(found.set_aside.values()),
        broken_links=found.broken_links,
    )


def waiting(session: Session, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """Return for each kind of work how much is due, and for how long the oldest."""
    due, late_s = {}, {}
    for name, due_at in DUE.items():
        counted = select(func.count(), func.min(due_at)).where(due_at <= now)
        mine = _anybodys_to_do(name)
        count, oldest = session.execute(counted.where(mine)).one()
        due[name] = count
        late_s[name] = int((now - oldest).total_seconds()) if oldest else 0
    overdue_s = _goodbyes_overdue_s(session, now)
    due["leaving"], late_s["leaving"] = len(overdue_s), max(overdue_s, default=0)
    return due, late_s


def _goodbyes_overdue_s(session: Session, now: datetime) -> list[int]:
    """Return for each runner who should be gone by now how long ago that was.

    A goodbye that fails is begun again and again; when it was promised stays.
    """
    half_said = Runner.leaving_since <= now - account_state.HALF_SAID
    rows = session.execute(
        select(Runner.erase_at, Runner.leaving_since).where(
            or_(Runner.erase_at <= now, half_said)
        )
    )
    promised = [
        erase_at or (begun_at + account_state.HALF_SAID if begun_at else now)
        for erase_at, begun_at in rows
    ]
    return [int((now - at).total_seconds()) for at in promised]


def _anybodys_to_do(name: str) -> ColumnElement[bool]:
    """Say which rows a worker would take: who stands still keeps nobody waiting."""
    match name:
        case "inbox":
            going = Runner.erase_at.is_not(None)
            return ~exists().where(Runner.athlete_id == Event.athlete_id, going)
        case "backfill":
            return _is_linked(Backfill.runner_id)
        case "sweep":
            return _is_linked(Sweep.runner_id)
        case _:
            return true()


def _is_linked(runner_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    works = Connection.broken_at.is_(None)
    return and_(
        exists().where(Connection.runner_id == runner_id, works),
        account_state.may_collect(runner_id),
    )


def _by_reason(session: Session, reason: InstrumentedAttribute[Any]) -> dict[str, int]:
    counted = select(reason, func.count()).where(reason.is_not(None)).group_by(reason)
    return {why: count for why, count in session.execute(counted) if why}
