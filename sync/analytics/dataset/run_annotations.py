"""What pages say of a run beside its numbers, read for those runs that they show."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, case, func, select

from sync.models import RUN_IS_IN_FIGURES, Decision, Run, Runner, Survey
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


@dataclass(frozen=True, slots=True)
class DataState:
    """What all that is shown of a runner depends on, and the moment it was read at.

    `value` changes with every run and answer, and with every annotation of a run.
    """

    value: Hashable
    at: datetime


def load_data_state(runtime: Runtime, runner_id: int) -> DataState:
    """Read the state of a runner's data, but none of their runs."""
    version = select(Runner.vault_key, Runner.data_version).where(
        Runner.id == runner_id
    )
    decisions = select(
        func.count(),
        func.max(Decision.decided_at),
        func.sum(case((Decision.verdict == DecisionVerdict.SEND, 1), else_=0)),
    ).where(Decision.runner_id == runner_id)
    surveys = select(
        func.count(), func.count(Survey.sent_at), func.count(Survey.cancelled_for)
    ).where(Survey.runner_id == runner_id)
    with runtime.db.read_only() as session:
        parts = [
            tuple(session.execute(query).one())
            for query in (version, decisions, surveys)
        ]
        return DataState(tuple(parts), runtime.db.now(session))


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
