"""One run as its runner sees it: facts, decision, answer, and its other recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.models import RUN_IS_VISIBLE, Answer, Decision, DelayDraw, Run, Runner
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.surveys import instruments
from sync.surveys.answering import own_notes
from sync.surveys.instruments import Question
from sync.surveys.own_runs import can_answer_run, find_own_run
from sync.surveys.policy.explanations import explain_decision
from sync.surveys.policy.question_selection import select_questions
from sync.vocabulary import SurveyKind

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with everything else that its page shows.

    `decision` is one sentence, None while nothing is decided; `answer_values` are
    empty without an answer; `questions` may follow the mood; `note` is the line that
    the runner wrote beside the answer.  `is_asked_later` tells whether
    its question is still to come at a drawn time.
    """

    run: Run
    decision: str | None
    answer_values: Mapping[str, int]
    answered_at: datetime | None
    can_answer: bool
    is_asked_later: bool
    questions: tuple[Question, ...]
    other_recordings: Sequence[Run]
    note: str

    @property
    def strava_id(self) -> int | None:
        return self.run.source_id if self.run.source == retained_runs.STRAVA else None

    @property
    def is_own(self) -> bool:
        """Whether it is the runner's own log, and not Strava's record."""
        return self.run.source == retained_runs.HAND

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
        asks_at = session.scalar(
            select(DelayDraw.asks_at).where(
                DelayDraw.runner_id == runner_id, DelayDraw.run_id == run.id
            )
        )
        vault = runtime.sealer.open_vault(runner.vault_key)
        note = own_notes.load_note(session, vault, answer)
    return RunDetail(
        run=run,
        decision=explain_decision(decision.reason, decision.minutes_since_end)
        if decision
        else None,
        answer_values=vault.open(answer.sealed) if answer else {},
        answered_at=answer.answered_at if answer else None,
        can_answer=can_answer_run(run, now=now),
        is_asked_later=asks_at is not None and asks_at > now,
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
        note=note,
    )


@retry_conflicts
def delete_answer(runtime: Runtime, runner_id: int, run_id: int) -> bool:
    """Delete what the runner said about a run, for good; False if there is nothing."""
    with runtime.db.transaction(runner_id=runner_id) as session:
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
        .where(Run.runner_id == run.runner_id, RUN_IS_VISIBLE)
        .where(
            (Run.id == canonical_id) | (Run.duplicate_of == canonical_id),
            Run.id != run.id,
        )
        .order_by(Run.id)
    ).all()
