"""Check-ins on random days, so that running days have a fair comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.database import insert
from sync.mail.quiet_hours import zone_of
from sync.models import Answer, CheckinDraw, Connection, Runner
from sync.preferences import Preferences
from sync.queue import Work
from sync.runtime import Runtime
from sync.surveys import store
from sync.surveys.policy.checkin_sampling import Chance, Day, Draw, draw, focus_at
from sync.surveys.sending.decide_runs import POLICY
from sync.surveys.sending.schedule import Desk, checkin_question

log = structlog.get_logger()

_PURPOSE = "check-in"
_ANSWERS_LOOKED_AT = 60


@dataclass(frozen=True, slots=True)
class _Candidate:
    runner_id: int
    day: date


def drain(runtime: Runtime) -> None:
    """Draw for every runner whose day has begun and has had no draw yet."""
    runtime.queue.woken(Work.CHECKINS)
    for candidate in _candidates(runtime):
        with runtime.db.transaction() as session:
            _draw_for(runtime, session, candidate)


def _candidates(runtime: Runtime) -> list[_Candidate]:
    last_day = func.max(CheckinDraw.local_day)
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        rows = session.execute(
            select(Runner.id, Runner.zone, Runner.preferences, last_day)
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
    found = []
    for runner_id, zone, stored, last in rows:
        preferences = Preferences.of(stored)
        day = now.astimezone(zone_of(zone)).date()
        if _wants_any(preferences, now=now) and (last is None or last < day):
            found.append(_Candidate(runner_id, day))
    return found


def _wants_any(preferences: Preferences, *, now: datetime) -> bool:
    return (
        preferences.checkins
        and not preferences.is_silent
        and not preferences.paused_at(now)
    )


def _draw_for(runtime: Runtime, session: Session, candidate: _Candidate) -> None:
    runner = store.lock(session, candidate.runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    text = f"{runner.id}:{candidate.day.isoformat()}"
    chance = Chance.of(runtime.sealer.signatures(_PURPOSE, text)[0])
    outcome = draw(_day(session, runner, candidate.day, now), chance, POLICY, now=now)
    if not _keep(session, candidate, outcome, now=now):
        return  # another beat was here first
    if outcome.at is not None:
        desk = Desk(runtime, session, runner, now, now, POLICY)
        _ask(desk, candidate, outcome.at)
    log.info("check-in drawn", runner_id=runner.id, reason=outcome.reason)


def _ask(desk: Desk, candidate: _Candidate, at: datetime) -> None:
    focus = focus_at(at, desk.preferences.checkin_focus, zone_of(desk.runner.zone))
    survey = checkin_question(desk, at=at, local_day=candidate.day, focus=focus)
    row = desk.session.get_one(CheckinDraw, (candidate.runner_id, candidate.day))
    row.survey_id = survey.id


def _keep(
    session: Session, candidate: _Candidate, outcome: Draw, *, now: datetime
) -> bool:
    """Write the draw down; False if this day had one already."""
    kept = session.scalar(
        insert(session, CheckinDraw)
        .values(
            runner_id=candidate.runner_id,
            local_day=candidate.day,
            probability=POLICY.checkin_probability,
            drawn=outcome.drawn,
            reason=outcome.reason,
            decided_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CheckinDraw.runner_id)
    )
    return kept is not None


def _day(session: Session, runner: Runner, day: date, now: datetime) -> Day:
    return Day(
        day=day,
        zone=zone_of(runner.zone),
        preferences=Preferences.of(runner.preferences),
        answer_times=_answer_times(session, runner),
        asked=store.asked_lately(session, runner.id, now=now),
        mailed=store.mailed_lately(session, runner.id, now=now),
    )


def _answer_times(session: Session, runner: Runner) -> Sequence[time]:
    """Return when, by the clock, this runner answered after runs."""
    moments = session.scalars(
        select(Answer.answered_at)
        .where(Answer.runner_id == runner.id, Answer.kind == "run")
        .order_by(Answer.answered_at.desc())
        .limit(_ANSWERS_LOOKED_AT)
    )
    zone = zone_of(runner.zone)
    return [moment.astimezone(zone).time() for moment in moments]
