"""What pages say of a run beside its numbers, read for those runs that they show."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from sync.models import RUN_IS_IN_FIGURES, Decision, Run, Survey
from sync.runtime import Runtime
from sync.vocabulary import DecisionReason, DecisionVerdict, RunSource


class RunAnnotation(NamedTuple):
    """Where one run comes from, what was decided about it, and whether it was asked."""

    sport: str = ""
    strava_id: int | None = None
    device: str | None = None
    verdict: DecisionVerdict | None = None
    reason: DecisionReason | None = None
    has_survey: bool = False


NO_ANNOTATION = RunAnnotation()


class RunAnnotations(dict[int, RunAnnotation]):
    """By the run's id; nothing is known of one that has just gone."""

    def __missing__(self, run_id: int) -> RunAnnotation:
        return NO_ANNOTATION


def load_annotation_state(session: Session, runner_id: int) -> Hashable:
    """Return a value that changes whenever a run of the runner gets another annotation.

    What the runs' own rows say changes with the version of the runner's data.
    """
    decisions = select(
        func.count(),
        func.max(Decision.decided_at),
        func.sum(case((Decision.verdict == DecisionVerdict.SEND, 1), else_=0)),
    ).where(Decision.runner_id == runner_id)
    surveys = select(
        func.count(), func.count(Survey.sent_at), func.count(Survey.cancelled_for)
    ).where(Survey.runner_id == runner_id)
    return (
        tuple(session.execute(decisions).one()),
        tuple(session.execute(surveys).one()),
    )


def load_annotations(
    runtime: Runtime, runner_id: int, run_ids: Sequence[int] | None = None
) -> RunAnnotations:
    """Return what is known of these runs of the runner, or of all of them."""
    run, decision, survey = (table.__table__.c for table in (Run, Decision, Survey))
    query = (
        select(
            run.id,
            run.sport,
            case((run.source == RunSource.STRAVA, run.source_id)),
            run.device,
            decision.verdict,
            decision.reason,
            survey.sent_at.is_not(None),
        )
        .select_from(Run.__table__)
        .outerjoin(
            Decision.__table__,
            and_(decision.run_id == run.id, decision.runner_id == run.runner_id),
        )
        .outerjoin(
            Survey.__table__,
            and_(
                survey.run_id == run.id,
                survey.runner_id == run.runner_id,
                survey.cancelled_for.is_(None),
            ),
        )
        .where(run.runner_id == runner_id, RUN_IS_IN_FIGURES)
    )
    if run_ids is not None:
        query = query.where(run.id.in_(run_ids))
    with runtime.db.read_only() as session:
        rows = session.execute(query).all()
    return RunAnnotations(
        (run_id, RunAnnotation._make(values)) for run_id, *values in rows
    )
