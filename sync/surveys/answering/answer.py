"""Showing a survey to whoever holds its link, and keeping what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.crypto import pairing_key, token_hash
from sync.errors import MoodmilesError
from sync.mail import outbox
from sync.models import Answer, Run, Runner, Survey
from sync.preferences import Preferences
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments, store, unsubscribe
from sync.surveys.answering import pairing
from sync.surveys.instruments import Library, Question
from sync.surveys.policy.question_selection import optional_questions, suggested
from sync.surveys.whose import own_run

log = structlog.get_logger()

State = Literal["open", "answered", "expired", "cancelled", "skipped"]
ANSWERABLE_FOR = timedelta(hours=24)
FINISH_WITHIN = timedelta(minutes=10)


class TooLate(MoodmilesError):
    """The survey or the run is no longer open for an answer."""


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """What the page behind a mail's link shows; `values` are those saved.

    `questions` are the optional ones; `suggested` is what the run itself says
    about some of them, to be shown and not to be taken for an answer.
    """

    state: State
    why: str | None
    local_day: date | None
    started_local: datetime | None
    distance_m: float | None
    reversed_order: bool
    expires_at: datetime
    zone: str
    units: str
    values: Mapping[str, int] = field(default_factory=dict)
    kind: str = "run"
    questions: tuple[Question, ...] = ()
    suggested: Mapping[str, int] = field(default_factory=dict)
    sessions: int = 1
    controls_token: str = ""
    language: str = ""

    @property
    def mood(self) -> int | None:
        return self.values.get("mood")


def look(runtime: Runtime, token: str) -> SurveyPage | None:
    """Return the survey behind this link, or None; writes nothing."""
    with runtime.db.reading() as session:
        survey = store.by_token(session, token_hash(token))
        if survey is None:
            return None
        answer = store.answer_to(session, survey)
        runner = session.get_one(Runner, survey.runner_id)
        run = session.get(Run, survey.run_id) if survey.run_id else None
        vault = runtime.sealer.vault(runner.vault_key)
        now = runtime.db.now(session)
        return SurveyPage(
            state=_state(survey, answer, now=now),
            why=survey.cancelled_for,
            local_day=run.local_day if run else None,
            started_local=_local_start(run),
            distance_m=run.distance_m if run else None,
            reversed_order=survey.reversed_order,
            expires_at=survey.expires_at,
            zone=(run.zone if run else None) or runner.zone,
            units=runner.preferences.get("units", "km"),
            values=vault.open(answer.sealed) if answer else {},
            kind=survey.kind,
            questions=_questions(runtime, runner, survey, run, now=now),
            suggested=_suggested(run),
            sessions=survey.tags.get("sessions", 1),
            controls_token=unsubscribe.token_for(runtime, runner.id),
            language=runner.preferences.get("language", ""),
        )


def _questions(
    runtime: Runtime, runner: Runner, survey: Survey, run: Run | None, *, now: datetime
) -> tuple[Question, ...]:
    return optional_questions(
        _library(runtime),
        survey.kind,
        Preferences.of(runner.preferences),
        focus=survey.focus,
        minutes_since_end=_minutes_since(run, now) if run else None,
    )


def _suggested(run: Run | None) -> Mapping[str, int]:
    if run is None:
        return {}
    return suggested(
        with_others=run.with_others,
        race=run.race,
        treadmill=run.treadmill,
        sport=run.sport,
    )


def _library(runtime: Runtime) -> Library:
    return instruments.library(runtime.settings.data_dir)


def record(runtime: Runtime, *, token: str, values: Mapping[str, int]) -> None:
    """Keep an answer; a later one changes it until the survey expires.

    `values` are question keys and their chosen values; those not named stay.
    Raises `BadAnswer` or `TooLate`.
    """
    said = instruments.checked(values, _library(runtime).questions)
    with runtime.db.transaction() as session:
        survey = store.by_token(session, token_hash(token))
        if survey is None:
            raise TooLate("This link does not lead to a survey.")
        now = runtime.db.now(session)
        answer = store.answer_to(session, survey)
        # A form that was open when the time ran out may still be finished.
        asked_at = now - FINISH_WITHIN
        if _state(survey, answer, now=asked_at) not in {"open", "answered"}:
            raise TooLate("This survey is over.")
        run = session.get(Run, survey.run_id) if survey.run_id else None
        _keep(runtime, session, (survey, run, answer), said)
        survey.opened_at = survey.opened_at or now
        outbox.cancel(session, survey.id, "answered")


def record_for_run(
    runtime: Runtime, *, runner_id: int, run_id: int, values: Mapping[str, int]
) -> None:
    """Keep the runner's own answer to a run of today or yesterday.

    Raises `BadAnswer` or `TooLate`; a run of someone else is as good as none.
    """
    said = instruments.checked(values, _library(runtime).questions)
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        run = own_run(session, runner_id, run_id)
        if run is None or now - _end(run) > ANSWERABLE_FOR:
            raise TooLate("This run can no longer be answered.")
        survey = session.scalar(select(Survey).where(Survey.run_id == run_id))
        answer = session.scalar(select(Answer).where(Answer.run_id == run_id))
        _keep(runtime, session, (survey, run, answer), said)
        if survey is not None:
            outbox.cancel(session, survey.id, "answered")


def skip(runtime: Runtime, *, token: str) -> None:
    """Ask no more about this run."""
    with runtime.db.transaction() as session:
        survey = store.by_token(session, token_hash(token))
        if survey is None or store.answer_to(session, survey) is not None:
            return
        session.execute(
            update(Survey)
            .where(Survey.id == survey.id, Survey.skipped_at.is_(None))
            .values(skipped_at=runtime.db.now(session))
        )
        outbox.cancel(session, survey.id, "skipped")


def _keep(
    runtime: Runtime,
    session: Session,
    about: tuple[Survey | None, Run | None, Answer | None],
    said: dict[str, int],
) -> None:
    survey, run, answer = about
    runner_id = survey.runner_id if survey else run.runner_id if run else 0
    runners.require_mood_consent(session, runner_id)
    now = runtime.db.now(session)
    vault = runtime.sealer.vault(session.get_one(Runner, runner_id).vault_key)
    if answer is not None:
        answer.sealed = vault.seal(vault.open(answer.sealed) | said)
        answer.changed_at = now
    elif "mood" not in said:
        raise instruments.BadAnswer("Please choose how you feel first.")
    else:
        session.add(
            Answer(
                runner_id=runner_id,
                run_id=run.id if run else None,
                survey_id=survey.id if survey else None,
                pairing_key=pairing_key(run.source, run.source_id) if run else None,
                kind=survey.kind if survey else "run",
                instrument=survey.instrument if survey else instruments.CURRENT,
                reversed_order=survey.reversed_order if survey else False,
                answered_at=now,
                minutes_since_end=_minutes_since(run, now) if run else None,
                tags=_tags(session, survey, now=now),
                sealed=vault.seal(said),
            )
        )
    runners.answered(session, runner_id, now=now)
    log.info("answer kept", runner_id=runner_id, survey_id=survey and survey.id)


def _tags(session: Session, survey: Survey | None, *, now: datetime) -> dict[str, Any]:
    """Return how the answer came about, as the survey knows and the day tells."""
    if survey is None:
        return {}
    if survey.kind == "checkin":
        return survey.tags | pairing.tags_of_checkin(session, survey.runner_id, now)
    return dict(survey.tags)


def _state(survey: Survey, answer: Answer | None, *, now: datetime) -> State:
    if survey.cancelled_for is not None:
        return "cancelled"
    if survey.expires_at <= now:
        return "expired"
    if answer is not None:
        return "answered"
    return "skipped" if survey.skipped_at is not None else "open"


def _local_start(run: Run | None) -> datetime | None:
    if run is None or not run.start_known:
        return None
    return (run.started_at + timedelta(seconds=run.offset_s)).replace(tzinfo=None)


def _end(run: Run) -> datetime:
    return run.started_at + timedelta(seconds=run.elapsed_s)


def _minutes_since(run: Run, now: datetime) -> int | None:
    minutes = int((now - _end(run)) / timedelta(minutes=1))
    return minutes if run.start_known else None
