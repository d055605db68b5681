"""A runner's own run, by its number or by a survey's."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.bounds import MAX_ID
from sync.models import Run, Survey


def find_own_run(session: Session, runner_id: int, run_id: int) -> Run | None:
    """Return a visible run of this runner; `run_id` may be any number from a form."""
    if run_id > MAX_ID:
        return None
    return session.scalar(
        select(Run).where(
            Run.id == run_id, Run.runner_id == runner_id, Run.hidden_at.is_(None)
        )
    )


def find_surveyed_run(session: Session, survey: Survey) -> Run | None:
    """Return the run that a survey is about, also one that is hidden."""
    if survey.run_id is None:
        return None
    return session.scalar(
        select(Run).where(Run.id == survey.run_id, Run.runner_id == survey.runner_id)
    )
