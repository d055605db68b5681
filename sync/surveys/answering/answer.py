"""Showing a survey to whoever holds its link, and keeping what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.crypto import hash_token
from sync.errors import MoodmilesError
from sync.mail import outbox
from sync.models import Answer, Run, Runner, Survey
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments, store, unsubscribe
from sync.surveys.answering import pairing
from sync.surveys.instruments import InstrumentLibrary, Question
from sync.surveys.own_runs import (
    can_answer_run,
    find_own_run,
    find_surveyed_run,
)
from sync.surveys.policy.question_selection import select_questions, suggest_answers
from sync.vocabulary import (
    AnswerKind,
    CancellationReason,
    DistanceUnit,
    SuppressionReason,
    SurveyKind,
)

log = structlog.get_logger()

SurveyPageState = Literal["open", "answered", "expired", "cancelled", "skipped"]
FORM_GRACE = timedelta(minutes=10)


class SurveyClosed(MoodmilesError):
    """The survey or the run is no longer open for an answer."""


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """What the page behind a mail's link shows; `values` are those saved.

    `questions` are the optional ones; `suggested_answers` are what the run
    itself says about some of them, to be shown and not to be taken for an answer.
    """

    state: SurveyPageState
    cancel_reason: CancellationReason | None
    local_day: date | None
    started_local: datetime | None
    distance_m: float | None
    reversed_order: bool
    expires_at: datetime
    zone: str
    units: DistanceUnit
    values: Mapping[str, int] = field(default_factory=dict)
    kind: SurveyKind = SurveyKind.RUN
    questions: tuple[Question, ...] = ()
    suggested_answers: Mapping[str, int] = field(default_factory=dict)
    session_count: int = 1
    unsubscribe_token: str = ""
    language: str = ""

    @property
    def mood(self) -> int | None:
        return self.values.get("mood")


@dataclass(frozen=True, slots=True)
class _Answered:
    """What is answered, a survey or a run or both, and the answer that it has."""

    survey: Survey | None
    run: Run | None
    answer: Answer | None


def load_survey_page(runtime: Runtime, token: str) -> SurveyPage | None:
    """Return the survey behind this link, or None; writes nothing."""
    with runtime.db.read_only() as session:
        survey = store.find_by_token(session, hash_token(token))
        if survey is None:
            return None
        answer = store.find_answer(session, survey)
        runner = session.get_one(Runner, survey.runner_id)
        run = find_surveyed_run(session, survey)
        vault = runtime.sealer.open_vault(runner.vault_key)
        now = runtime.db.now(session)
        return SurveyPage(
            state=_determine_state(survey, answer, now=now),
            cancel_reason=survey.cancelled_for,
            local_day=run.local_day if run else None,
            started_local=run.started_local if run else None,
            distance_m=run.distance_m if run else None,
            reversed_order=survey.reversed_order,
            expires_at=survey.expires_at,
            zone=(run.zone if run else None) or runner.zone,
            units=runner.preferences.units,
            values=vault.open(answer.sealed) if answer else {},
            kind=survey.kind,
            questions=select_questions(
                _load_library(runtime),
                survey.kind,
                runner.preferences,
                focus=survey.focus,
                minutes_since_end=_count_minutes_since_end(run, now) if run else None,
            ),
            suggested_answers=suggest_answers(
                is_with_others=run.with_others,
                is_race=run.race,
                is_treadmill=run.treadmill,
                sport=run.sport,
            )
            if run
            else {},
            session_count=survey.tags.get("sessions", 1),
            unsubscribe_token=unsubscribe.sign_token(vault, runner.id),
            language=runner.preferences.language,
        )


def _load_library(runtime: Runtime) -> InstrumentLibrary:
    return instruments.load_library(runtime.settings.data_dir)


@retry_conflicts
def record_answer(runtime: Runtime, *, token: str, values: Mapping[str, int]) -> None:
    """Keep an answer; a later one changes it until the survey expires.

    `values` are question keys and their chosen values; those not named stay.
    Raises `InvalidAnswer` or `SurveyClosed`.
    """
    checked_values = instruments.check_values(values, _load_library(runtime).questions)
    with runtime.db.transaction() as session:
        survey = store.lock_by_token(session, hash_token(token))
        if survey is None:
            raise SurveyClosed("This link does not lead to a survey.")
        now = runtime.db.now(session)
        answer = store.find_answer(session, survey)
        # A form that was open when the time ran out may still be finished.
        effective_now = now - FORM_GRACE
        if _determine_state(survey, answer, now=effective_now) not in {
            "open",
            "answered",
        }:
            raise SurveyClosed("This survey is over.")
        run = find_surveyed_run(session, survey)
        _save_answer(runtime, session, _Answered(survey, run, answer), checked_values)
        survey.opened_at = survey.opened_at or now
        outbox.cancel_survey_mails(
            session, survey.runner_id, survey.id, SuppressionReason.ANSWERED
        )


@retry_conflicts
def record_run_answer(
    runtime: Runtime, *, runner_id: int, run_id: int, values: Mapping[str, int]
) -> None:
    """Keep the runner's own answer to a run of today or yesterday.

    Raises `InvalidAnswer` or `SurveyClosed`; a run of someone else is as good as none.
    """
    checked_values = instruments.check_values(values, _load_library(runtime).questions)
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        run = find_own_run(session, runner_id, run_id)
        if run is None or not can_answer_run(run, now=now):
            raise SurveyClosed("This run can no longer be answered.")
        survey = session.scalar(
            select(Survey).where(Survey.runner_id == runner_id, Survey.run_id == run_id)
        )
        answer = session.scalar(
            select(Answer).where(Answer.runner_id == runner_id, Answer.run_id == run_id)
        )
        _save_answer(runtime, session, _Answered(survey, run, answer), checked_values)
        if survey is not None:
            outbox.cancel_survey_mails(
                session, survey.runner_id, survey.id, SuppressionReason.ANSWERED
            )


@retry_conflicts
def skip_survey(runtime: Runtime, *, token: str) -> None:
    """Ask no more about this run."""
    with runtime.db.transaction() as session:
        survey = store.lock_by_token(session, hash_token(token))
        if survey is None or store.find_answer(session, survey) is not None:
            return
        session.execute(
            update(Survey)
            .where(Survey.runner_id == survey.runner_id, Survey.id == survey.id)
            .where(Survey.skipped_at.is_(None))
            .values(skipped_at=runtime.db.now(session))
        )
        outbox.cancel_survey_mails(
            session, survey.runner_id, survey.id, SuppressionReason.SKIPPED
        )


def _save_answer(
    runtime: Runtime,
    session: Session,
    answered: _Answered,
    values: dict[str, int],
) -> None:
    survey, run, answer = answered.survey, answered.run, answered.answer
    runner_id = survey.runner_id if survey else run.runner_id if run else 0
    runners.require_mood_consent(session, runner_id)
    now = runtime.db.now(session)
    vault = runtime.sealer.open_vault(session.get_one(Runner, runner_id).vault_key)
    answer_bytes = _load_library(runtime).answer_bytes
    if answer is not None:
        answer.sealed = vault.seal(
            vault.open(answer.sealed) | values, min_bytes=answer_bytes
        )
        answer.changed_at = now
    elif "mood" not in values:
        raise instruments.InvalidAnswer("Please choose how you feel first.")
    else:
        tags = dict(survey.tags) if survey else {}
        if survey and survey.kind is SurveyKind.CHECKIN:
            tags |= pairing.load_checkin_tags(session, runner_id, now)
        session.add(
            Answer(
                runner_id=runner_id,
                run_id=run.id if run else None,
                survey_id=survey.id if survey else None,
                pairing_key=vault.pairing_key(run.source, run.source_id)
                if run
                else None,
                kind=AnswerKind(survey.kind) if survey else AnswerKind.RUN,
                instrument=survey.instrument
                if survey
                else instruments.CURRENT_RUN_INSTRUMENT,
                reversed_order=survey.reversed_order if survey else False,
                answered_at=now,
                minutes_since_end=_count_minutes_since_end(run, now) if run else None,
                tags=tags,
                sealed=vault.seal(values, min_bytes=answer_bytes),
            )
        )
    runners.mark_answered(session, runner_id, now=now)
    log.info("answer kept", runner_id=runner_id, survey_id=survey and survey.id)


def _determine_state(
    survey: Survey, answer: Answer | None, *, now: datetime
) -> SurveyPageState:
    if survey.cancelled_for is not None:
        return "cancelled"
    if survey.expires_at <= now:
        return "expired"
    if answer is not None:
        return "answered"
    return "skipped" if survey.skipped_at is not None else "open"


def _count_minutes_since_end(run: Run, now: datetime) -> int | None:
    minutes = int((now - run.ended_at) / timedelta(minutes=1))
    return minutes if run.start_known else None
