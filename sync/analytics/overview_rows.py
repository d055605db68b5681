"""What the dashboard shows, as rows: one query a table and no ORM entities."""

from collections.abc import Hashable, Sequence
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from sync.models import Answer, Decision, Run, Runner, Survey


def state_of(session: Session, runner: Runner) -> Hashable:
    """Return what differs whenever a row differs that the pages show.

    Runs and answers have a version of their own; decisions and mails come later.
    """
    decided = session.execute(
        select(func.count(), func.max(Decision.decided_at)).where(
            Decision.runner_id == runner.id
        )
    ).one()
    asked = session.execute(
        select(
            func.count(Survey.run_id),
            func.count(Survey.sent_at),
            func.count(Survey.cancelled_for),
        ).where(Survey.runner_id == runner.id)
    ).one()
    return runner.vault_key, runner.data_version, tuple(decided), tuple(asked)


def run_rows(session: Session, runner_id: int) -> Sequence[Any]:
    run, decision, survey = (table.__table__.c for table in (Run, Decision, Survey))
    # The connection's own rows cost half of what the session's do.
    return (
        session.connection()
        .execute(
            select(
                run.id,
                run.source,
                run.source_id,
                run.sport,
                run.started_at,
                run.start_known,
                run.offset_s,
                run.local_day,
                run.distance_m,
                run.moving_s,
                run.elapsed_s,
                run.treadmill,
                run.manual,
                run.race,
                run.with_others,
                run.device,
                decision.verdict,
                decision.reason,
                decision.minutes_since_end,
                survey.sent_at,
            )
            .select_from(Run.__table__)
            .outerjoin(Decision.__table__, decision.run_id == run.id)
            .outerjoin(
                Survey.__table__,
                and_(survey.run_id == run.id, survey.cancelled_for.is_(None)),
            )
            .where(run.runner_id == runner_id, run.hidden_at.is_(None), run.counted)
            .order_by(run.started_at, run.id)
        )
        .all()
    )


def answer_rows(session: Session, runner_id: int) -> Sequence[Any]:
    answer = Answer.__table__.c
    return (
        session.connection()
        .execute(
            select(
                answer.run_id, answer.sealed, answer.minutes_since_end, answer.tags
            ).where(answer.runner_id == runner_id, answer.run_id.is_not(None))
        )
        .all()
    )
