"""Stores a survey together with its mails, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.crypto import Vault, hash_token, new_token
from sync.mail import outbox
from sync.models import Run, Runner, Survey
from sync.preferences import Preferences
from sync.runtime import Runtime
from sync.surveys import instruments, store, unsubscribe
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send, count_sessions
from sync.vocabulary import (
    CancellationReason,
    DecisionReason,
    InstrumentKind,
    MailKind,
    SuppressionReason,
    SurveyKind,
)

_MIN_DELIVERY_WINDOW = timedelta(hours=1)
_MIN_REMINDER_WINDOW = timedelta(minutes=5)
_SLOWDOWN_MAIL_LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class SurveyContext:
    """The objects and values with which one runner's questions are decided."""

    runtime: Runtime
    session: Session
    runner: Runner
    linked_at: datetime
    now: datetime
    policy: Policy

    @cached_property
    def vault(self) -> Vault:
        return self.runtime.sealer.open_vault(self.runner.vault_key)

    @property
    def preferences(self) -> Preferences:
        return self.runner.preferences


def enqueue_run_survey(context: SurveyContext, run: Run, verdict: Send) -> Survey:
    """Enqueue the survey about a run; it replaces earlier ones."""
    earlier_runs = _cancel_replaced(context, run, verdict.replaced_survey_ids)
    token = new_token()
    survey = _create_survey(
        context,
        kind=SurveyKind.RUN,
        token=token,
        local_day=verdict.local_day,
        send_at=verdict.at,
        expires_at=verdict.expires_at,
        tags=_build_tags(context, run, earlier_runs, reason=verdict.reason),
    )
    survey.run_id = run.id
    survey.pairing_key = context.vault.pairing_key(run.source, run.source_id)
    context.session.flush()
    _enqueue_run_mails(context, run, survey, verdict, token=token)
    return survey


def enqueue_checkin(
    context: SurveyContext, *, send_at: datetime, local_day: date, focus: str | None
) -> Survey:
    """Enqueue a check-in."""
    token = new_token()
    expires_at = send_at + timedelta(hours=context.policy.checkin_life_h)
    survey = _create_survey(
        context,
        kind=SurveyKind.CHECKIN,
        token=token,
        local_day=local_day,
        send_at=send_at,
        expires_at=expires_at,
        tags={"probability": context.policy.checkin_probability},
    )
    survey.focus = focus
    context.session.flush()
    _enqueue_mail(
        context,
        survey,
        kind=MailKind.CHECKIN,
        values=_build_mail_values(context, survey, token)
        | {"zone": context.runner.zone},
        due_at=send_at,
        stale_at=send_at + _MIN_DELIVERY_WINDOW,
    )
    return survey


def enqueue_slow_down(context: SurveyContext, *, unanswered_count: int) -> None:
    """Stop asking, and ask once how to go on."""
    runner = context.runner
    runner.preferences = context.preferences.with_asking_suspended(context.now)
    outbox.enqueue_mail(
        context.session,
        sealer=context.runtime.sealer,
        now=context.now,
        dedupe_key=f"slow-down:{runner.id}:{context.now:%Y%m%d%H%M%S}",
        kind=MailKind.SLOW_DOWN_QUESTION,
        runner_id=runner.id,
        values={
            "unsubscribe_token": unsubscribe.sign_token(context.vault, runner.id),
            "unanswered": unanswered_count,
        },
        stale_at=context.now + _SLOWDOWN_MAIL_LIFETIME,
    )


def _enqueue_run_mails(
    context: SurveyContext, run: Run, survey: Survey, verdict: Send, *, token: str
) -> None:
    """Promise the mail, and its one reminder if there is to be one."""
    ended_at = verdict.expires_at - timedelta(hours=context.policy.life_h)
    values = _build_mail_values(context, survey, token) | {
        "zone": run.zone or context.runner.zone,
        "run_started_at": run.started_at if run.start_known else None,
    }
    distance_values = {
        "distance_m": run.distance_m if context.preferences.distance_in_mail else None,
        "units": context.preferences.units,
    }
    # One that could not leave in time would measure something else: a drawn delay
    # bears no other.
    too_old_at = (
        verdict.at
        if verdict.reason == DecisionReason.DRAWN_TIME
        else ended_at + timedelta(hours=context.policy.too_old_h)
    )
    _enqueue_mail(
        context,
        survey,
        kind=MailKind.SURVEY,
        values=values | distance_values,
        due_at=verdict.at,
        stale_at=max(too_old_at, verdict.at + _MIN_DELIVERY_WINDOW),
    )
    if verdict.remind_at is None:
        return
    too_late_at = ended_at + timedelta(hours=context.policy.reminder_until_h)
    _enqueue_mail(
        context,
        survey,
        kind=MailKind.SURVEY_REMINDER,
        values=values,
        due_at=verdict.remind_at,
        stale_at=max(too_late_at, verdict.remind_at + _MIN_REMINDER_WINDOW),
    )


def _cancel_replaced(
    context: SurveyContext, run: Run, replaced_ids: Sequence[int]
) -> list[Run]:
    """Call off the day's earlier questions; return the runs they were about."""
    run_ids: list[int] = []
    for survey_id in replaced_ids:
        survey = context.session.scalars(
            select(Survey).where(
                Survey.runner_id == context.runner.id, Survey.id == survey_id
            )
        ).one()
        survey.cancelled_for = CancellationReason.REPLACED
        outbox.cancel_survey_mails(
            context.session, context.runner.id, survey_id, SuppressionReason.REPLACED
        )
        run_ids += survey.tags.get("earlier_runs", [])
        if survey.run_id is not None:
            run_ids.append(survey.run_id)
    return list(
        context.session.scalars(
            select(Run).where(
                Run.runner_id == context.runner.id,
                Run.id.in_(run_ids),
                Run.id != run.id,
            )
        ).all()
    )


def _build_tags(
    context: SurveyContext,
    run: Run,
    earlier_runs: Sequence[Run],
    *,
    reason: DecisionReason,
) -> dict[str, Any]:
    """Return what the answer keeps: which runs it is about, and how it came."""
    tags: dict[str, Any] = {}
    if earlier_runs:
        all_facts = [
            store.build_run_facts(session_run) for session_run in (*earlier_runs, run)
        ]
        tags["sessions"] = count_sessions(all_facts, context.policy)
        tags["earlier_runs"] = [session_run.id for session_run in earlier_runs]
    if run.race:
        tags["race"] = True
    if reason == DecisionReason.NEXT_MORNING:
        tags["next_morning"] = True
    return tags


def _create_survey(
    context: SurveyContext, *, kind: SurveyKind, token: str, **columns: Any
) -> Survey:
    library = instruments.load_library(context.runtime.settings.data_dir)
    survey = Survey(
        runner_id=context.runner.id,
        kind=kind,
        token_hash=hash_token(token),
        instrument=library.get_current(InstrumentKind(kind)).id,
        # By runner and never by mail, so that a bias for the first shows.
        reversed_order=context.runner.id % 2 == 1,
        focus=context.preferences.focus or None,
        created_at=context.now,
        **columns,
    )
    context.session.add(survey)
    return survey


def _build_mail_values(
    context: SurveyContext, survey: Survey, token: str
) -> dict[str, Any]:
    return {
        "token": token,
        "unsubscribe_token": unsubscribe.sign_token(context.vault, context.runner.id),
        "expires_at": survey.expires_at,
        "reversed_order": survey.reversed_order,
    }


def _enqueue_mail(  # noqa: PLR0913
    context: SurveyContext,
    survey: Survey,
    *,
    kind: MailKind,
    values: Mapping[str, Any],
    due_at: datetime,
    stale_at: datetime,
) -> None:
    outbox.enqueue_mail(
        context.session,
        sealer=context.runtime.sealer,
        now=context.now,
        dedupe_key=f"{kind}:{survey.id}",
        kind=kind,
        runner_id=context.runner.id,
        survey_id=survey.id,
        values=values,
        due_at=due_at,
        stale_at=stale_at,
    )
