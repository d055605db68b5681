"""Deduplicates the recordings of one run, by watch and by phone: one counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.models import RUN_IS_TIMED, Answer, Run
from sync.runners import store as runners
from sync.runs import duplicate_rules
from sync.runs.duplicate_rules import Recording
from sync.runtime import Runtime

log = structlog.get_logger()

_SEARCH_MARGIN = timedelta(days=1)
_RESOLVE_MARGIN = timedelta(hours=12)
_IS_UNPAIRED = Run.counted & Run.duplicate_of.is_(None)
_RECORDING_COLUMNS = (
    Run.id,
    Run.started_at,
    Run.start_known,
    Run.source_id,
    Run.trusted_moving_s,
    Run.trusted_elapsed_s,
    Run.distance_m,
    Run.elevation_m,
    Run.manual,
    Run.device,
    Run.counted,
    Run.chosen,
    Run.duplicate_of,
)


@retry_conflicts
def choose_recording(runtime: Runtime, runner_id: int, run_id: int) -> bool:
    """Count the recording that the runner chose; False if the run has only one."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        chosen_run = session.scalar(
            select(Run).where(Run.id == run_id, Run.runner_id == runner_id)
        )
        if chosen_run is None:
            return False
        counted_id = chosen_run.duplicate_of or chosen_run.id
        is_in_group = (
            (Run.id == counted_id)
            | (Run.duplicate_of == counted_id)
            | (Run.id == run_id)
        )
        run_ids = session.scalars(
            select(Run.id).where(Run.runner_id == runner_id, is_in_group)
        ).all()
        if len(run_ids) < 2:
            return False
        session.execute(
            update(Run)
            .where(Run.runner_id == runner_id, Run.id.in_(run_ids))
            .values(chosen=True, counted=Run.id == run_id)
        )
        resolve_duplicates(session, runner_id, [chosen_run.started_at])
        runners.bump_data_version(session, runner_id)
    log.info("recording chosen", runner_id=runner_id, run_id=run_id)
    return True


def resolve_duplicates(
    session: Session, runner_id: int, starts: Sequence[datetime]
) -> bool:
    """Find the duplicates among runs around these starts; return whether any changed.

    A run's answer moves to the recording that counts.
    """
    if not starts:
        return False
    first, last = min(starts), max(starts)
    nearby_spans = (
        select(Run.started_at, Run.trusted_elapsed_s, _IS_UNPAIRED)
        .where(Run.runner_id == runner_id, RUN_IS_TIMED)
        .where(Run.started_at.between(first - _SEARCH_MARGIN, last + _SEARCH_MARGIN))
        # Whichever came first does not matter.
        .order_by(Run.started_at, Run.source_id)
    )
    spans = session.execute(nearby_spans).all()
    # The common case: nearly all pages of an import have no overlapping runs.
    if all(is_unpaired for *_, is_unpaired in spans) and duplicate_rules.never_overlap(
        (started_at, elapsed_s) for started_at, elapsed_s, _ in spans
    ):
        return False
    nearby_recordings = nearby_spans.with_only_columns(*_RECORDING_COLUMNS)
    rows: Sequence[Any] = session.execute(nearby_recordings).all()
    duplicates = duplicate_rules.find_duplicates([_to_recording(row) for row in rows])
    changed = [
        row
        for row in rows
        # Near the edges a duplicate may lie beyond what was loaded.
        if first - _RESOLVE_MARGIN <= row.started_at <= last + _RESOLVE_MARGIN
        and (row.duplicate_of, row.counted)
        != (duplicates.get(row.id), row.id not in duplicates)
    ]
    for row in changed:
        duplicate_of = duplicates.get(row.id)
        session.execute(
            update(Run)
            .where(Run.runner_id == runner_id, Run.id == row.id)
            .values(duplicate_of=duplicate_of, counted=duplicate_of is None)
        )
    for row in changed:
        _move_answer(session, runner_id, row, duplicates.get(row.id))
    return bool(changed)


def _to_recording(row: Any) -> Recording:
    return Recording(
        id=row.id,
        started_at=row.started_at if row.start_known else None,
        elapsed_s=row.trusted_elapsed_s,
        distance_m=row.distance_m,
        manual=row.manual,
        device=row.device,
        has_elevation=row.elevation_m is not None,
        is_chosen=row.chosen and row.counted,
        moving_s=row.trusted_moving_s,
        source_id=row.source_id,
    )


def _move_answer(
    session: Session, runner_id: int, row: Any, duplicate_of: int | None
) -> None:
    """Move an answer to the recording that counts, unless that has its own."""
    origin = row.id if duplicate_of else row.duplicate_of
    target = duplicate_of or row.id
    if origin is None:
        return
    is_own = Answer.runner_id == runner_id
    if not session.scalar(select(exists().where(is_own, Answer.run_id == target))):
        session.execute(
            update(Answer).where(is_own, Answer.run_id == origin).values(run_id=target)
        )
