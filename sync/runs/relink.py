"""Runs that went away and are back: what was said about them is theirs again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from sync.crypto import Sealer
from sync.models import Answer, DelayDraw, Run, Runner, Survey
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runs.rules import SOURCE

_RUNNER_ID = bindparam("runner_id", type_=Runner.id.type)
# Asked for every page of an import, and nearly always answered with no.
_HAS_UNLINKED = select(
    or_(
        *(
            exists().where(
                table.runner_id == _RUNNER_ID,
                table.run_id.is_(None),
                table.pairing_key.is_not(None),
            )
            for table in (Answer, Survey, DelayDraw)
        ),
        exists().where(
            Answer.runner_id == _RUNNER_ID,
            Answer.run_id == Run.id,
            Run.runner_id == _RUNNER_ID,
            Run.source == retained_runs.HAND,
        ),
    )
)


def relink_answers(
    session: Session, sealer: Sealer, runner_id: int, source_ids: Sequence[int]
) -> None:
    """Let runs that are back find their answers and surveys."""
    if not session.scalar(_HAS_UNLINKED, {"runner_id": runner_id}):
        return
    vault = runners.open_vault(session, sealer, runner_id)
    source_ids_by_key = {
        vault.pairing_key(SOURCE, source_id): source_id for source_id in source_ids
    }
    retained_runs.remove_retained(session, runner_id, source_ids_by_key)
    changes_by_table: dict[Any, dict[str, Any]] = {
        Answer: {},
        Survey: {"cancelled_for": None},
        DelayDraw: {},
    }
    for table, changes in changes_by_table.items():
        unlinked_rows = session.execute(
            select(table.id, table.pairing_key).where(
                table.runner_id == runner_id,
                table.run_id.is_(None),
                table.pairing_key.in_(source_ids_by_key),
            )
        ).all()
        for row_id, key in unlinked_rows:
            returned_run_id = select(Run.id).where(
                Run.runner_id == runner_id,
                Run.source == SOURCE,
                Run.source_id == source_ids_by_key[key],
            )
            session.execute(
                update(table)
                .where(table.runner_id == runner_id, table.id == row_id)
                .values(run_id=returned_run_id.scalar_subquery(), **changes)
            )
