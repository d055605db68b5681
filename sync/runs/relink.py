"""Runs that went away and are back: what was said about them is theirs again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from sync.crypto import pairing_key
from sync.models import Answer, Run, Runner, Survey
from sync.runners import retained_runs
from sync.runs.rules import SOURCE

_WHOSE = bindparam("runner_id", type_=Runner.id.type)
# Asked for every page of an import, and nearly always answered with no.
_IS_ANYTHING_WAITING = select(
    or_(
        *(
            exists().where(
                table.runner_id == _WHOSE,
                table.run_id.is_(None),
                table.pairing_key.is_not(None),
            )
            for table in (Answer, Survey)
        ),
        exists().where(
            Answer.runner_id == _WHOSE,
            Answer.run_id == Run.id,
            Run.source == retained_runs.HAND,
        ),
    )
)


def pair_again(session: Session, runner_id: int, source_ids: Sequence[int]) -> None:
    """Let runs that are back find their answers and surveys."""
    if not session.scalar(_IS_ANYTHING_WAITING, {"runner_id": runner_id}):
        return
    keys = {pairing_key(SOURCE, source_id): source_id for source_id in source_ids}
    retained_runs.stand_down(session, runner_id, keys)
    back: dict[Any, dict[str, Any]] = {Answer: {}, Survey: {"cancelled_for": None}}
    for table, changes in back.items():
        lonely = session.execute(
            select(table.id, table.pairing_key).where(
                table.runner_id == runner_id,
                table.run_id.is_(None),
                table.pairing_key.in_(keys),
            )
        ).all()
        for row_id, key in lonely:
            returned = select(Run.id).where(
                Run.source == SOURCE, Run.source_id == keys[key]
            )
            session.execute(
                update(table)
                .where(table.id == row_id)
                .values(run_id=returned.scalar_subquery(), **changes)
            )
