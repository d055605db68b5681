"""Check-ins on random days, so that running days have a fair comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.database import dialect_insert
from sync.models import Answer, CheckinDraw, Connection, Runner
from sync.preferences import Preferences
from sync.queue import Job
from sync.runtime import Runtime
from sync.surveys import store
from sync.surveys.policy.checkin_sampling import (
    CheckinDay,
    DrawOutcome,
    Uniforms,
    choose_focus,
    draw_checkin,
)
from sync.surveys.sending.decide_runs import POLICY
from sync.surveys.sending.schedule import SurveyContext, enqueue_checkin
from sync.time_zones import get_zone
from sync.vocabulary import AnswerKind

log = structlog.get_logger()

_SIGNATURE_PURPOSE = "check-in"
_MAX_ANSWERS = 60


@dataclass(frozen=True, slots=True)
class _CheckinCandidate:
    runner_id: int
    local_day: date


def process_due(runtime: Runtime) -> None:
    """Draw for every runner whose day has begun and has had no draw yet."""
    runtime.queue.mark_started(Job.CHECKINS)
    for candidate in _find_candidates(runtime):
        with runtime.db.transaction() as session:
            _process_candidate(runtime, session, candidate)


def _find_candidates(runtime: Runtime) -> list[_CheckinCandidate]:
    last_drawn_day: ColumnElement[date | None] = func.max(CheckinDraw.local_day)
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences, last_drawn_day)
            .join(Connection, Connection.runner_id == Runner.id)
            .outerjoin(CheckinDraw, CheckinDraw.runner_id == Runner.id)
            .where(
                Runner.email_confirmed_at.is_not(None),
                Runner.email_bounced_at.is_(None),
                Connection.broken_at.is_(None),
                account_state.may_collect(Runner.id),
            )
            .group_by(Runner.id)
        ).all()
    candidates = []
    for runner_id, zone, preferences, last_drawn in rows:
        local_day = now.astimezone(get_zone(zone)).date()
        if _wants_checkins(preferences, now=now) and (
            last_drawn is None or last_drawn < local_day
        ):
            candidates.append(_CheckinCandidate(runner_id, local_day))
    return candidates


def _wants_checkins(preferences: Preferences, *, now: datetime) -> bool:
    return (
        preferences.checkins
        and not preferences.is_asking_stopped
        and not preferences.is_paused_at(now)
    )


def _process_candidate(
    runtime: Runtime, session: Session, candidate: _CheckinCandidate
) -> None:
    runner = store.lock_runner(session, candidate.runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    signed_text = f"{runner.id}:{candidate.local_day.isoformat()}"
    uniforms = Uniforms.from_signature(
        runtime.sealer.signatures(_SIGNATURE_PURPOSE, signed_text)[0]
    )
    outcome = draw_checkin(
        _load_checkin_day(session, runner, candidate.local_day, now),
        uniforms,
        POLICY,
        now=now,
    )
    if not _save_draw(session, candidate, outcome, now=now):
        return  # another beat was here first
    if outcome.at is not None:
        context = SurveyContext(runtime, session, runner, now, now, POLICY)
        _schedule_checkin(context, candidate, outcome.at)
    log.info("check-in drawn", runner_id=runner.id, reason=outcome.reason)


def _schedule_checkin(
    context: SurveyContext, candidate: _CheckinCandidate, send_at: datetime
) -> None:
    focus = choose_focus(
        send_at, context.preferences.checkin_focus, get_zone(context.runner.zone)
    )
    survey = enqueue_checkin(
        context, send_at=send_at, local_day=candidate.local_day, focus=focus
    )
    draw_row = context.session.get_one(
        CheckinDraw, (candidate.runner_id, candidate.local_day)
    )
    draw_row.survey_id = survey.id


def _save_draw(
    session: Session,
    candidate: _CheckinCandidate,
    outcome: DrawOutcome,
    *,
    now: datetime,
) -> bool:
    """Write the draw down; False if this day had one already."""
    inserted_runner_id = session.scalar(
        dialect_insert(session, CheckinDraw)
        .values(
            runner_id=candidate.runner_id,
            local_day=candidate.local_day,
            probability=POLICY.checkin_probability,
            drawn=outcome.is_drawn,
            reason=outcome.reason,
            decided_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CheckinDraw.runner_id)
    )
    return inserted_runner_id is not None


def _load_checkin_day(
    session: Session, runner: Runner, local_day: date, now: datetime
) -> CheckinDay:
    return CheckinDay(
        local_day=local_day,
        zone=get_zone(runner.zone),
        preferences=runner.preferences,
        answer_times=_load_answer_times(session, runner),
        recent_questions=store.load_recent_questions(session, runner.id, now=now),
        recent_mails=store.load_recent_mails(session, runner.id, now=now),
    )


def _load_answer_times(session: Session, runner: Runner) -> Sequence[time]:
    """Return when, by the clock, this runner answered after runs."""
    answered_ats = session.scalars(
        select(Answer.answered_at)
        .where(Answer.runner_id == runner.id, Answer.kind == AnswerKind.RUN)
        .order_by(Answer.answered_at.desc())
        .limit(_MAX_ANSWERS)
    )
    zone = get_zone(runner.zone)
    return [answered_at.astimezone(zone).time() for answered_at in answered_ats]
