"""The tables behind asking: undecided runs, decisions, surveys, answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from sync.database import insert
from sync.models import Answer, Connection, Decision, Run, Runner, Survey
from sync.surveys.rules import Asked, RunFacts

_LOOK_BACK = timedelta(days=8)


def waiting_runners(session: Session, *, limit: int = 20) -> Sequence[int]:
    """Return runners with runs that the policy has not looked at yet."""
    return session.scalars(
        select(Run.runner_id)
        .where(Run.undecided_since.is_not(None))
        .group_by(Run.runner_id)
        .order_by(func.min(Run.undecided_since))
        .limit(limit)
    ).all()


def lock(session: Session, runner_id: int) -> Runner | None:
    """Hold the runner's row, so that two workers never decide side by side."""
    return session.scalar(
        select(Runner).where(Runner.id == runner_id).with_for_update()
    )


def linked_at(session: Session, runner_id: int) -> datetime | None:
    return session.scalar(
        select(Connection.linked_at).where(Connection.runner_id == runner_id)
    )


def undecided(session: Session, runner_id: int, *, limit: int = 500) -> Sequence[Run]:
    """Return the runner's undecided runs, oldest first."""
    return session.scalars(
        select(Run)
        .where(Run.runner_id == runner_id, Run.undecided_since.is_not(None))
        .order_by(Run.started_at, Run.id)
        .limit(limit)
    ).all()


def facts(run: Run) -> RunFacts:
    ended_at = run.started_at + timedelta(seconds=run.elapsed_s)
    return RunFacts(
        run_id=run.id,
        started_at=run.started_at,
        ended_at=ended_at if run.start_known else None,
        learned_at=run.undecided_since or run.fetched_at,
        local_day=run.local_day,
        distance_m=run.distance_m,
        moving_s=run.moving_s,
        manual=run.manual,
    )


def asked_lately(session: Session, runner_id: int, *, now: datetime) -> list[Asked]:
    """Return the runner's surveys that count for the caps."""
    answered = exists().where(Answer.survey_id == Survey.id)
    rows = session.execute(
        select(Survey.id, Run.local_day, Survey.created_at, Survey.sent_at, answered)
        .join(Run, Run.id == Survey.run_id)
        .where(
            Survey.runner_id == runner_id,
            Survey.created_at > now - _LOOK_BACK,
            Survey.cancelled_for.is_(None),
        )
    )
    return [
        Asked(survey_id, day, created_at, sent_at is not None, is_answered)
        for survey_id, day, created_at, sent_at, is_answered in rows
    ]


def asked_before(session: Session, key: str) -> bool:
    """Whether this run was asked about before it went away and came back."""
    return (
        session.scalar(select(Survey.id).where(Survey.pairing_key == key)) is not None
    )


def runs_since_asked(session: Session, runner_id: int, *, before: datetime) -> int:
    """Count the decided runs since the last one that a survey was sent for."""
    last = (
        select(func.max(Run.started_at))
        .join(Decision, Decision.run_id == Run.id)
        .where(
            Run.runner_id == runner_id,
            Decision.verdict == "send",
            Run.started_at < before,
        )
    )
    newest = session.scalar(last)
    if newest is None:
        return 0
    return (
        session.scalar(
            select(func.count())
            .select_from(Run)
            .where(
                Run.runner_id == runner_id,
                Run.started_at > newest,
                Run.started_at < before,
            )
        )
        or 0
    )


def note(session: Session, decisions: Sequence[dict[str, Any]]) -> None:
    """Keep one decision for each run, the first one made."""
    session.execute(
        insert(session, Decision).on_conflict_do_nothing(index_elements=["run_id"]),
        decisions,
    )
    session.execute(
        update(Run)
        .where(Run.id.in_([row["run_id"] for row in decisions]))
        .values(undecided_since=None)
    )


def by_token(session: Session, hashed: str) -> Survey | None:
    return session.scalar(select(Survey).where(Survey.token_hash == hashed))


def answer_to(session: Session, survey: Survey) -> Answer | None:
    """Return what was said to this survey, by mail or on the dashboard."""
    same = Answer.survey_id == survey.id
    if survey.run_id is not None:
        same = same | (Answer.run_id == survey.run_id)
    return session.scalar(select(Answer).where(same))
