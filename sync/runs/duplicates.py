"""Two recordings of one run, by watch and by phone: one of them counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.models import Answer, Run
from sync.runners import store as runners
from sync.runs import duplicate_rules
from sync.runs.duplicate_rules import Recording
from sync.runtime import Runtime

log = structlog.get_logger()

_LOOKED_AT = timedelta(days=1)
_SETTLED = timedelta(hours=12)
_IS_ALONE = Run.counted & Run.duplicate_of.is_(None)
_TELLING = (
    Run.id,
    Run.started_at,
    Run.start_known,
    Run.elapsed_s,
    Run.distance_m,
    Run.elevation_m,
    Run.manual,
    Run.device,
    Run.counted,
    Run.chosen,
    Run.duplicate_of,
)


def choose_recording(runtime: Runtime, runner_id: int, run_id: int) -> bool:
    """Let the runner say which recording counts; False if the run has no twin."""
    with runtime.db.transaction() as session:
        chosen = session.scalar(
            select(Run).where(Run.id == run_id, Run.runner_id == runner_id)
        )
        if chosen is None:
            return False
        head = chosen.duplicate_of or chosen.id
        group = (Run.id == head) | (Run.duplicate_of == head) | (Run.id == run_id)
        found = session.scalars(
            select(Run.id).where(Run.runner_id == runner_id, group)
        ).all()
        if len(found) < 2:
            return False
        session.execute(
            update(Run)
            .where(Run.id.in_(found))
            .values(chosen=True, counted=Run.id == run_id)
        )
        arrange(session, runner_id, [chosen.started_at])
        runners.changed(session, runner_id)
    log.info("recording chosen", runner_id=runner_id, run_id=run_id)
    return True


def arrange(session: Session, runner_id: int, starts: Sequence[datetime]) -> bool:
    """See which runs around these starts are one; return whether that changed.

    A run's answer goes along to the recording that counts.
    """
    if not starts:
        return False
    first, last = min(starts), max(starts)
    around = Run.started_at.between(first - _LOOKED_AT, last + _LOOKED_AT)
    if _is_plain(session, runner_id, around):
        return False
    rows = _looked_at(session, runner_id, around, *_TELLING)
    twins = duplicate_rules.twins([_recording(row) for row in rows])
    changed = [
        row
        for row in rows
        # Near the edges a twin may lie beyond what was looked at.
        if first - _SETTLED <= row.started_at <= last + _SETTLED
        and (row.duplicate_of, row.counted) != (twins.get(row.id), row.id not in twins)
    ]
    for row in changed:
        _settle(session, row, twins.get(row.id))
    for row in changed:
        _follow(session, row, twins.get(row.id))
    return bool(changed)


def _is_plain(session: Session, runner_id: int, around: ColumnElement[bool]) -> bool:
    """Whether no two of these could be one run, and none is said to be.

    So it is with nearly all of an import's pages.
    """
    rows = _looked_at(
        session, runner_id, around, Run.started_at, Run.elapsed_s, _IS_ALONE
    )
    return all(is_alone for *_, is_alone in rows) and duplicate_rules.never_meet(
        (started_at, elapsed_s) for started_at, elapsed_s, _ in rows
    )


def _looked_at(
    session: Session,
    runner_id: int,
    around: ColumnElement[bool],
    *columns: ColumnElement[Any] | InstrumentedAttribute[Any],
) -> Sequence[Any]:
    return session.execute(
        select(*columns)
        .where(Run.runner_id == runner_id, around, Run.hidden_at.is_(None))
        .order_by(Run.started_at, Run.id)
    ).all()


def _recording(row: Any) -> Recording:
    return Recording(
        id=row.id,
        started_at=row.started_at if row.start_known else None,
        elapsed_s=row.elapsed_s,
        distance_m=row.distance_m,
        manual=row.manual,
        device=row.device,
        has_elevation=row.elevation_m is not None,
        is_choice=row.chosen and row.counted,
    )


def _settle(session: Session, row: Any, duplicate_of: int | None) -> None:
    session.execute(
        update(Run)
        .where(Run.id == row.id)
        .values(duplicate_of=duplicate_of, counted=duplicate_of is None)
    )


def _follow(session: Session, row: Any, duplicate_of: int | None) -> None:
    """Move an answer to the recording that counts, unless that has its own."""
    origin = row.id if duplicate_of else row.duplicate_of
    target = duplicate_of or row.id
    if origin is None:
        return
    taken = exists().where(Answer.run_id == target)
    if not session.scalar(select(taken)):
        session.execute(
            update(Answer).where(Answer.run_id == origin).values(run_id=target)
        )
