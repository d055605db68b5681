"""What a run that arrives says about answers given earlier that day."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.crypto import pairing_key
from sync.models import Answer, Run
from sync.surveys.policy.parameters import Policy

_DAY = timedelta(hours=36)  # no local day is longer, wherever the runner went


def runs_arrived(session: Session, runner_id: int, runs: Sequence[Run]) -> None:
    """Tag the check-ins of the runs' days, and pair each "before" with its run."""
    if not runs:
        return
    first = min(run.started_at for run in runs) - _DAY
    last = max(run.started_at for run in runs) + _DAY
    answers = session.scalars(
        select(Answer).where(
            Answer.runner_id == runner_id,
            Answer.kind.in_(("checkin", "before")),
            Answer.answered_at.between(first, last),
        )
    ).all()
    for answer in answers:
        for run in runs:
            answer.tags = {**answer.tags, **tags_from(answer, run)}


def tags_of_checkin(
    session: Session, runner_id: int, answered_at: datetime
) -> dict[str, Any]:
    """Return the tags of a check-in answered now, from the day's runs so far."""
    runs = session.scalars(
        select(Run).where(
            Run.runner_id == runner_id,
            Run.hidden_at.is_(None),
            Run.started_at.between(answered_at - _DAY, answered_at + _DAY),
        )
    ).all()
    tags: dict[str, Any] = {}
    for run in runs:
        tags |= _tags_of_day(answered_at, run)
    return tags


def tags_from(answer: Answer, run: Run) -> Mapping[str, Any]:
    if answer.kind == "checkin":
        return _tags_of_day(answer.answered_at, run)
    wait = run.started_at - answer.answered_at
    is_free = "paired_with" not in answer.tags
    if is_free and run.start_known and timedelta(0) <= wait <= _pairs_for():
        # The run may leave and come back: this finds it again.
        return {"paired_with": pairing_key(run.source, run.source_id)}
    return {}


def _tags_of_day(answered_at: datetime, run: Run) -> dict[str, Any]:
    """Say whether the run came before or after an answer of the same local day."""
    local_day = (answered_at + timedelta(seconds=run.offset_s)).date()
    if local_day != run.local_day:
        return {}
    if not run.start_known or run.started_at <= answered_at:
        return {"run_earlier": True}
    return {"pre_run_same_day": True}


def _pairs_for() -> timedelta:
    return timedelta(hours=Policy().before_pairs_h)
