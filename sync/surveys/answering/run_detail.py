"""One run as its runner sees it: facts, decision, answer, and its other recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.answer_window import ANSWER_WINDOW
from sync.models import Answer, Decision, Run, Runner
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments
from sync.surveys.instruments import Question
from sync.surveys.own_runs import find_own_run
from sync.surveys.policy.explanations import explain_decision
from sync.surveys.policy.question_selection import select_questions
from sync.vocabulary import SurveyKind

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunDetail:
    """Everything that a run's page shows.

    `is_own`: it is the runner's own log, not Strava's record.  `decision` is one
    sentence, None while nothing is decided; `answer_values` are empty without an
    answer; `questions` may follow the mood.
    """

    id: int
    strava_id: int | None
    is_own: bool
    sport: str
    started_local: datetime | None
    local_day: date
    distance_m: float
    moving_s: int
    elapsed_s: int
    elevation_m: float | None
    treadmill: bool
    manual: bool
    race: bool
    with_others: bool
    device: str | None
    counted: bool
    decision: str | None
    answer_values: Mapping[str, int]
    answered_at: datetime | None
    can_answer: bool
    questions: tuple[Question, ...]
    other_recordings: Sequence[Run]

    @property
    def mood(self) -> int | None:
        return self.answer_values.get("mood")


def load_run_detail(runtime: Runtime, runner_id: int, run_id: int) -> RunDetail | None:
    """Return the runner's own run; None if it is hidden, gone or someone else's."""
    with runtime.db.read_only() as session:
        run = find_own_run(session, runner_id, run_id)
        if run is None:
            return None
        runner = session.get_one(Runner, runner_id)
        answer = session.scalar(
            select(Answer).where(Answer.runner_id == runner_id, Answer.run_id == run.id)
        )
        decision = session.scalar(
            select(Decision).where(
                Decision.runner_id == runner_id, Decision.run_id == run.id
            )
        )
        other_recordings = _load_other_recordings(session, run)
        now = runtime.db.now(session)
    vault = runtime.sealer.open_vault(runner.vault_key)
    return RunDetail(
        id=run.id,
        strava_id=run.source_id if run.source == retained_runs.STRAVA else None,
        is_own=run.source == retained_runs.HAND,
        sport=run.sport,
        started_local=run.started_local,
        local_day=run.local_day,
        distance_m=run.distance_m,
        moving_s=run.moving_s,
        elapsed_s=run.elapsed_s,
        elevation_m=run.elevation_m,
        treadmill=run.treadmill,
        manual=run.manual,
        race=run.race,
        with_others=run.with_others,
        device=run.device,
        counted=run.counted,
        decision=explain_decision(decision.reason, decision.minutes_since_end)
        if decision
        else None,
        answer_values=vault.open(answer.sealed) if answer else {},
        answered_at=answer.answered_at if answer else None,
        can_answer=now - run.ended_at <= ANSWER_WINDOW,
        questions=select_questions(
            instruments.load_library(runtime.settings.data_dir),
            SurveyKind.RUN,
            runner.preferences,
            focus=runner.preferences.focus,
            minutes_since_end=int((now - run.ended_at) / timedelta(minutes=1))
            if run.start_known
            else None,
        ),
        other_recordings=other_recordings,
    )


def delete_answer(runtime: Runtime, runner_id: int, run_id: int) -> bool:
    """Delete what the runner said about a run, for good; False if there is nothing."""
    with runtime.db.transaction() as session:
        answer = session.scalar(
            select(Answer).where(Answer.runner_id == runner_id, Answer.run_id == run_id)
        )
        if answer is None:
            return False
        retained_runs.remove_for_answer(session, answer)
        session.delete(answer)
        runners.bump_data_version(session, runner_id)
    log.info("answer removed", runner_id=runner_id, run_id=run_id)
    return True


def _load_other_recordings(session: Session, run: Run) -> Sequence[Run]:
    canonical_id = run.duplicate_of or run.id
    return session.scalars(
        select(Run)
        .where(Run.runner_id == run.runner_id, Run.hidden_at.is_(None))
        .where(
            (Run.id == canonical_id) | (Run.duplicate_of == canonical_id),
            Run.id != run.id,
        )
        .order_by(Run.id)
    ).all()
