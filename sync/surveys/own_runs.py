"""A runner's own run, by its number or by a survey's."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.answer_window import ANSWER_WINDOW
from sync.bounds import MAX_ID
from sync.models import RUN_IS_VISIBLE, Run, Survey


def find_own_run(session: Session, runner_id: int, run_id: int) -> Run | None:
    """Return a visible run of this runner; `run_id` may be any number from a form."""
    if run_id > MAX_ID:
        return None
    return session.scalar(
        select(Run).where(Run.id == run_id, Run.runner_id == runner_id, RUN_IS_VISIBLE)
    )


def find_surveyed_run(session: Session, survey: Survey) -> Run | None:
    """Return the run that a survey is about, also one that is hidden."""
    if survey.run_id is None:
        return None
    return session.scalar(
        select(Run).where(Run.id == survey.run_id, Run.runner_id == survey.runner_id)
    )


def can_answer_run(run: Run, *, now: datetime) -> bool:
    """Whether a run may still be answered; not while it is left out of figures."""
    return not run.left_out_for and now - run.ended_at <= ANSWER_WINDOW
