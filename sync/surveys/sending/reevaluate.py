"""Deciding again about a run that changed, or went and came back, unasked."""

from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, select, update
from sqlalchemy.orm import Session

from sync.models import Decision, Mail, Run, Survey
from sync.surveys.policy.parameters import Policy
from sync.vocabulary import MailKind, SuppressionReason

log = structlog.get_logger()

_END_TOLERANCE = timedelta(seconds=30)


def find_changed_surveys(
    session: Session, policy: Policy, *conditions: ColumnElement[bool]
) -> list[Survey]:
    """Return unsent surveys that were planned for another end of their run.

    One that is about an earlier run as well stays, for that run has not changed;
    unless nobody knows any more when the later one was.
    """
    rows = session.execute(
        select(Survey, Run)
        .join(Run, and_(Run.id == Survey.run_id, Run.runner_id == Survey.runner_id))
        .join(
            Mail, and_(Mail.survey_id == Survey.id, Mail.runner_id == Survey.runner_id)
        )
        .where(
            Mail.kind == MailKind.SURVEY,
            Mail.due_at.is_not(None),
            # One that is on its way already keeps its time.
            Mail.attempts == 0,
            Survey.cancelled_for.is_(None),
            *conditions,
        )
    ).all()
    return [
        survey
        for survey, run in rows
        if run.left_out_for or _has_other_end(survey, run, policy)
    ]


def _has_other_end(survey: Survey, run: Run, policy: Policy) -> bool:
    if survey.tags.get("earlier_runs") or not run.start_known:
        return False
    planned_end = survey.expires_at - timedelta(hours=policy.life_h)
    return abs(planned_end - run.ended_at) > _END_TOLERANCE


def reopen_changed_runs(session: Session, runner_id: int, policy: Policy) -> None:
    """Take back a runner's changed surveys; their runs are decided about as if new.

    A run may have become too short, and a mail may be due earlier or later.
    """
    is_own = Survey.runner_id == runner_id
    for survey in find_changed_surveys(session, policy, is_own):
        run_id = survey.run_id
        session.execute(
            update(Run)
            .where(Run.runner_id == runner_id, Run.id == run_id)
            .values(undecided_since=survey.created_at)
        )
        _delete_decision(session, survey)
        session.delete(survey)
        log.info("survey taken back", survey_id=survey.id, run_id=run_id)
    session.flush()


def discard_unsent_survey(session: Session, runner_id: int, pairing_key: str) -> None:
    """Take back a question whose run went before its mail could leave.

    The run has come back: whoever hid it for a moment was never asked.
    """
    has_unsent_mail = exists().where(
        Mail.runner_id == runner_id,
        Mail.survey_id == Survey.id,
        Mail.kind == MailKind.SURVEY,
        Mail.withheld_for == SuppressionReason.RUN_GONE,
        Mail.attempts == 0,
    )
    survey = session.scalar(
        select(Survey).where(
            Survey.runner_id == runner_id,
            Survey.pairing_key == pairing_key,
            Survey.sent_at.is_(None),
            has_unsent_mail,
        )
    )
    if survey is None or survey.tags.get("earlier_runs"):
        return
    _delete_decision(session, survey)
    session.delete(survey)
    session.flush()
    log.info("survey taken back", survey_id=survey.id, run_id=survey.run_id)


def _delete_decision(session: Session, survey: Survey) -> None:
    """Delete the decision from which a survey came."""
    session.execute(
        delete(Decision).where(
            Decision.runner_id == survey.runner_id, Decision.run_id == survey.run_id
        )
    )
