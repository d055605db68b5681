"""Deciding again about a run that changed, or went and came back, unasked."""

from datetime import timedelta

import structlog
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from sync.models import Decision, Mail, Run, Survey
from sync.surveys import store
from sync.surveys.policy.parameters import Policy
from sync.vocabulary import MailKind, SuppressionReason

log = structlog.get_logger()

_END_TOLERANCE = timedelta(seconds=30)


def reopen_changed_runs(session: Session, policy: Policy) -> None:
    """Take back what was promised for another end of a run than it has now.

    The run is then looked at as if it were new: it may have become too short,
    and a mail may be due earlier or later.
    """
    rows = session.execute(
        select(Survey, Run)
        .join(Run, Run.id == Survey.run_id)
        .join(Mail, Mail.survey_id == Survey.id)
        .where(
            Mail.kind == MailKind.SURVEY,
            Mail.due_at.is_not(None),
            # One that is on its way already keeps its time.
            Mail.attempts == 0,
            Survey.cancelled_for.is_(None),
            Run.start_known,
        )
    ).all()
    for survey, run in rows:
        expected_expiry = run.ended_at + timedelta(hours=policy.life_h)
        if abs(survey.expires_at - expected_expiry) > _END_TOLERANCE:
            _reopen_run(session, survey, run)


def discard_unsent_survey(session: Session, pairing_key: str) -> None:
    """Take back a question whose run went before its mail could leave.

    The run has come back: whoever hid it for a moment was never asked.
    """
    has_unsent_mail = exists().where(
        Mail.survey_id == Survey.id,
        Mail.kind == MailKind.SURVEY,
        Mail.withheld_for == SuppressionReason.RUN_GONE,
        Mail.attempts == 0,
    )
    survey = session.scalar(
        select(Survey).where(
            Survey.pairing_key == pairing_key, Survey.sent_at.is_(None), has_unsent_mail
        )
    )
    if survey is None or survey.tags.get("earlier_runs"):
        return
    session.execute(delete(Decision).where(Decision.run_id == survey.run_id))
    session.delete(survey)
    session.flush()
    log.info("survey taken back", survey_id=survey.id, run_id=survey.run_id)


def _reopen_run(session: Session, survey: Survey, run: Run) -> None:
    if survey.tags.get("earlier_runs"):
        return  # it is about an earlier run as well, which has not changed
    store.lock_runner(session, survey.runner_id)
    run.undecided_since = survey.created_at
    session.execute(delete(Decision).where(Decision.run_id == run.id))
    session.delete(survey)
    log.info("survey taken back", survey_id=survey.id, run_id=run.id)
