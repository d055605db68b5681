"""Check-ins on random days, so that running days have a fair comparison."""

from datetime import date, datetime

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import account_state, work
from sync.conflicts import retry_conflicts
from sync.database import dialect_insert
from sync.models import Answer, CheckinDraw, Connection, Runner
from sync.preferences import Preferences
from sync.queue import Job
from sync.runtime import Runtime
from sync.surveys import store
from sync.surveys.policy.checkin_sampling import (
    CheckinDay,
    Uniforms,
    choose_focus,
    draw_checkin,
)
from sync.surveys.sending.decide_runs import POLICY
from sync.surveys.sending.schedule import SurveyContext, enqueue_checkin
from sync.time_zones import get_zone
from sync.vocabulary import AnswerKind, KeyUse
from sync.work import RunnerDueWork, RunnerRange, RunnerTask

log = structlog.get_logger()

_MAX_ANSWERS = 60


class CheckinWork(RunnerDueWork[date]):
    """Runners whose local day has begun and has had no draw yet."""

    job = Job.CHECKINS

    @override
    def find_due(
        self, session: Session, *, now: datetime, runners: RunnerRange
    ) -> list[RunnerTask[date]]:
        last_drawn_day: ColumnElement[date | None] = func.max(CheckinDraw.local_day)
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences, last_drawn_day)
            .join(Connection, Connection.runner_id == Runner.id)
            .outerjoin(CheckinDraw, CheckinDraw.runner_id == Runner.id)
            .where(
                Runner.email_confirmed_at.is_not(None),
                Runner.email_bounced_at.is_(None),
                Connection.broken_at.is_(None),
                account_state.may_collect(Runner.id),
                runners.includes(Runner.id),
            )
            .group_by(Runner.id)
        ).all()
        tasks = []
        for runner_id, zone, preferences, last_drawn in rows:
            local_day = now.astimezone(get_zone(zone)).date()
            is_drawn = last_drawn is not None and last_drawn >= local_day
            if not is_drawn and wants_checkins(preferences, now=now):
                tasks.append(RunnerTask(runner_id, local_day))
        return tasks

    @override
    @retry_conflicts
    def handle(self, runtime: Runtime, item: RunnerTask[date]) -> None:
        with runtime.db.transaction() as session:
            draw_day(runtime, session, item.runner_id, item.detail)
            self.settle(session, item)


def process_due(runtime: Runtime) -> None:
    """Draw for every runner whose day has begun and has had no draw yet."""
    work.process_due(runtime, CheckinWork())


def wants_checkins(preferences: Preferences, *, now: datetime) -> bool:
    """Whether the runner has check-ins on, and nothing holds all questions up."""
    return (
        preferences.checkins
        and not preferences.is_asking_stopped
        and not preferences.is_paused_at(now)
    )


def draw_day(
    runtime: Runtime, session: Session, runner_id: int, local_day: date
) -> None:
    """Draw whether a day gets a check-in, and schedule it; once for each day."""
    runner = store.lock_runner(session, runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    signature = runtime.sealer.signatures(
        KeyUse.CHECKIN_DRAWS, f"{runner.id}:{local_day.isoformat()}"
    )[0]
    day = _load_checkin_day(session, runner, local_day, now)
    outcome = draw_checkin(day, Uniforms.from_signature(signature), POLICY, now=now)
    inserted_runner_id = session.scalar(
        dialect_insert(session, CheckinDraw)
        .values(
            runner_id=runner_id,
            local_day=local_day,
            probability=POLICY.checkin_probability,
            drawn=outcome.is_drawn,
            reason=outcome.reason,
            decided_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CheckinDraw.runner_id)
    )
    if inserted_runner_id is None:
        return  # this day has had its draw
    if outcome.at is not None:
        context = SurveyContext(runtime, session, runner, now, now, POLICY)
        zone = get_zone(runner.zone)
        focus = choose_focus(outcome.at, context.preferences.checkin_focus, zone)
        survey = enqueue_checkin(
            context, send_at=outcome.at, local_day=local_day, focus=focus
        )
        draw_row = session.get_one(CheckinDraw, (runner_id, local_day))
        draw_row.survey_id = survey.id
    log.info("check-in drawn", runner_id=runner.id, reason=outcome.reason)


def _load_checkin_day(
    session: Session, runner: Runner, local_day: date, now: datetime
) -> CheckinDay:
    zone = get_zone(runner.zone)
    answered_ats = session.scalars(
        select(Answer.answered_at)
        .where(Answer.runner_id == runner.id, Answer.kind == AnswerKind.RUN)
        .order_by(Answer.answered_at.desc())
        .limit(_MAX_ANSWERS)
    )
    return CheckinDay(
        local_day=local_day,
        zone=zone,
        preferences=runner.preferences,
        answer_times=[moment.astimezone(zone).time() for moment in answered_ats],
        recent_questions=store.load_recent_questions(session, runner.id, now=now),
        recent_mails=store.load_recent_mails(session, runner.id, now=now),
    )
