"""What a run that arrives says about answers given earlier that day."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.answer_window import PRE_RUN_WINDOW
from sync.crypto import Vault
from sync.models import RUN_IS_TIMED, Answer, Run
from sync.vocabulary import AnswerKind

_MAX_LOCAL_DAY = timedelta(hours=36)  # no local day is longer, wherever the runner went


def tag_answers(
    session: Session, runner_id: int, runs: Sequence[Run], vault: Vault
) -> None:
    """Tag the check-ins of the runs' days, and pair each "before" with its run."""
    runs = [run for run in runs if not run.left_out_for]
    if not runs:
        return
    earliest = min(run.started_at for run in runs) - _MAX_LOCAL_DAY
    latest = max(run.started_at for run in runs) + _MAX_LOCAL_DAY
    answers = session.scalars(
        select(Answer).where(
            Answer.runner_id == runner_id,
            Answer.kind.in_((AnswerKind.CHECKIN, AnswerKind.PRE_RUN)),
            Answer.answered_at.between(earliest, latest),
        )
    ).all()
    for answer in answers:
        for run in runs:
            answer.tags = {**answer.tags, **build_tags(answer, run, vault)}


def load_checkin_tags(
    session: Session, runner_id: int, answered_at: datetime
) -> dict[str, Any]:
    """Return the tags of a check-in answered now, from the day's runs so far."""
    runs = session.scalars(
        select(Run).where(
            Run.runner_id == runner_id,
            RUN_IS_TIMED,
            Run.started_at.between(
                answered_at - _MAX_LOCAL_DAY, answered_at + _MAX_LOCAL_DAY
            ),
        )
    ).all()
    tags: dict[str, Any] = {}
    for run in runs:
        tags |= _build_day_tags(answered_at, run)
    return tags


def build_tags(answer: Answer, run: Run, vault: Vault) -> Mapping[str, Any]:
    if answer.kind == AnswerKind.CHECKIN:
        return _build_day_tags(answer.answered_at, run)
    lead_time = run.started_at - answer.answered_at
    is_unpaired = "paired_with" not in answer.tags
    if is_unpaired and run.start_known and timedelta(0) <= lead_time <= PRE_RUN_WINDOW:
        # The run may leave and come back: this finds it again.
        return {"paired_with": vault.pairing_key(run.source, run.source_id)}
    return {}


def _build_day_tags(answered_at: datetime, run: Run) -> dict[str, Any]:
    """Say whether the run came before or after an answer of the same local day."""
    local_day = (answered_at + timedelta(seconds=run.offset_s)).date()
    if local_day != run.local_day:
        return {}
    if not run.start_known or run.started_at <= answered_at:
        return {"run_earlier": True}
    return {"pre_run_same_day": True}
