"""The tables behind asking: undecided runs, decisions, surveys, answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from sync import account_state, database
from sync.database import Bind, dialect_insert
from sync.mail.kinds import find_kinds
from sync.models import (
    RUN_IS_CREDIBLE,
    RUN_IS_TIMED,
    Answer,
    Connection,
    Decision,
    Mail,
    Run,
    Runner,
    Survey,
)
from sync.run_judgement import judge_left_out
from sync.surveys.policy.frequency import QuestionMail, RecentQuestion, Response
from sync.surveys.policy.situation import RunFacts
from sync.vocabulary import (
    DecisionReason,
    DecisionVerdict,
    MailKind,
    SurveyKind,
)

BATCH_SIZE = 500  # decided in one transaction, which must stay short
_LOOKBACK = timedelta(days=8)
_MAX_RESPONSES = 12
_UPSERT_COLUMNS = ("verdict", "reason", "minutes_since_end", "policy", "decided_at")
# Built once, for they run with every page of an import, as in `runners.store`.
_RUNNER_ID = bindparam("whose", type_=Run.runner_id.type)
_OLDEST_UNDECIDED = (
    select(Run.runner_id, func.min(Run.undecided_since).label("since"))
    .where(Run.undecided_since.is_not(None))
    .group_by(Run.runner_id)
    .subquery()
)
_SELECT_WAITING_RUNNERS = (
    select(Runner.id)
    .join(_OLDEST_UNDECIDED, _OLDEST_UNDECIDED.c.runner_id == Runner.id)
    .where(account_state.may_collect(Runner.id))
    .order_by(_OLDEST_UNDECIDED.c.since)
)
_SELECT_LINKED_AT = select(Connection.linked_at).where(
    Connection.runner_id == _RUNNER_ID
)
_SELECT_UNDECIDED = (
    select(
        Run.id,
        Run.started_at,
        Run.trusted_elapsed_s,
        Run.clock_ahead,
        Run.start_known,
        Run.undecided_since,
        Run.local_day,
        Run.distance_m,
        Run.trusted_moving_s,
        Run.implausible,
        Run.manual,
        Run.race,
        Run.imported,
    )
    .where(Run.runner_id == _RUNNER_ID, Run.undecided_since.is_not(None))
    # As an index has them; by their starts all would be sorted for each batch.
    .order_by(Run.undecided_since)
    .limit(BATCH_SIZE)
)
# The last of an index: a max() of rows that may be hidden reads all of them.
_SELECT_NEWEST = (
    select(Run.started_at, Run.zone)
    .where(Run.runner_id == _RUNNER_ID, RUN_IS_TIMED)
    .order_by(Run.started_at.desc(), Run.id.desc())
    .limit(1)
)


def find_waiting_runners(
    session: Session, *conditions: ColumnElement[bool]
) -> Sequence[int]:
    """Return runners with runs that the policy has not looked at yet."""
    return session.scalars(_SELECT_WAITING_RUNNERS.where(*conditions)).all()


def lock_runner(session: Session, runner_id: int) -> Runner | None:
    """Hold the runner's row, so that two workers never decide side by side."""
    return session.scalar(
        select(Runner).where(Runner.id == runner_id).with_for_update()
    )


def get_linked_at(session: Session, runner_id: int) -> datetime | None:
    return session.scalar(_SELECT_LINKED_AT, {"whose": runner_id})


def load_undecided_runs(session: Session, runner_id: int) -> list[RunFacts]:
    """Return the undecided runs that waited longest, in order of their starts.

    Those that are left out come first: none of them is the newest.
    """
    rows = session.execute(_SELECT_UNDECIDED, {"whose": runner_id})
    return sorted(
        map(build_run_facts, rows),
        key=lambda run: (run.left_out_for is None, run.started_at, run.run_id),
    )


def load_runs(
    session: Session, runner_id: int, run_ids: Sequence[int]
) -> Sequence[Run]:
    """Return these runs of the runner, oldest first."""
    if not run_ids:
        return ()
    return session.scalars(
        select(Run)
        .where(Run.runner_id == runner_id, Run.id.in_(run_ids))
        .order_by(Run.started_at, Run.id)
    ).all()


def build_run_facts(run: Run | Row[*tuple[Any, ...]]) -> RunFacts:
    ended_at = run.started_at + timedelta(seconds=run.trusted_elapsed_s)
    return RunFacts(
        run_id=run.id,
        started_at=run.started_at,
        ended_at=ended_at if run.start_known else None,
        learned_at=run.undecided_since or run.fetched_at,
        local_day=run.local_day,
        distance_m=run.distance_m,
        moving_s=run.trusted_moving_s,
        is_manual=run.manual,
        is_race=run.race,
        is_imported=run.imported,
        left_out_for=judge_left_out(
            clock_ahead=run.clock_ahead, implausible=run.implausible
        ),
    )


def load_recent_questions(
    session: Session, runner_id: int, *, now: datetime
) -> list[RecentQuestion]:
    """Return the runner's questions of these days that stand, sent or not."""
    answered_at = (
        select(func.min(Answer.answered_at))
        .where(_is_answer_to(Survey))
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Survey.id,
            Survey.kind,
            Survey.local_day,
            Survey.send_at,
            Survey.sent_at,
            Survey.skipped_at,
            Run.local_day.label("run_local_day"),
            answered_at.label("answered_at"),
        )
        .outerjoin(
            Run, and_(Run.id == Survey.run_id, Run.runner_id == Survey.runner_id)
        )
        .where(
            Survey.runner_id == runner_id,
            Survey.send_at > now - _LOOKBACK,
            Survey.cancelled_for.is_(None),
        )
    )
    questions = []
    for row in rows:
        local_day = row.local_day or row.send_at.date()
        # A run that is gone counts on the day on which it was asked about.
        run_day = row.run_local_day or local_day
        questions.append(
            RecentQuestion(
                survey_id=row.id,
                local_day=local_day,
                send_at=row.send_at,
                is_sent=row.sent_at is not None,
                run_day=run_day if row.kind is SurveyKind.RUN else None,
                answered_at=row.answered_at,
                is_skipped=row.skipped_at is not None,
            )
        )
    return questions


def load_recent_mails(
    session: Session, runner_id: int, *, now: datetime
) -> list[QuestionMail]:
    """Return the mails with a question that went out these days or still will."""
    at = func.coalesce(Mail.sent_at, Mail.due_at, type_=Mail.sent_at.type)
    rows = session.execute(
        select(Mail.survey_id, Mail.kind, at, Mail.sent_at.is_not(None)).where(
            Mail.runner_id == runner_id,
            Mail.kind.in_(find_kinds(lambda spec: spec.question is not None)),
            at > now - _LOOKBACK,
        )
    )
    return [
        QuestionMail(survey_id or 0, kind, mailed_at, is_sent=is_sent)
        for survey_id, kind, mailed_at, is_sent in rows
    ]


def load_responses(
    session: Session, runner_id: int, *, since: datetime | None, now: datetime
) -> list[Response]:
    """Return the questions that have gone out, newest first."""
    reminder_sent = exists().where(
        Mail.runner_id == Survey.runner_id,
        Mail.survey_id == Survey.id,
        Mail.kind == MailKind.SURVEY_REMINDER,
        Mail.sent_at.is_not(None),
    )
    query = (
        select(
            exists().where(_is_answer_to(Survey)) | Survey.skipped_at.is_not(None),
            Survey.expires_at <= now,
            reminder_sent,
        )
        .where(
            Survey.runner_id == runner_id,
            Survey.sent_at.is_not(None),
            # One that moved behind a second run was answered there, or not.
            Survey.cancelled_for.is_(None),
        )
        .order_by(Survey.sent_at.desc(), Survey.id.desc())
        .limit(_MAX_RESPONSES)
    )
    if since is not None:
        query = query.where(Survey.sent_at > since)
    return [
        Response(
            is_answered=is_answered, is_expired=is_expired, had_reminder=had_reminder
        )
        for is_answered, is_expired, had_reminder in session.execute(query)
    ]


def _is_answer_to(survey: type[Survey]) -> Any:
    """Say that an answer is one to this survey, from its page or elsewhere."""
    return and_(
        Answer.runner_id == survey.runner_id,
        or_(
            Answer.survey_id == survey.id,
            and_(survey.run_id.is_not(None), Answer.run_id == survey.run_id),
        ),
    )


def was_asked_before(session: Session, runner_id: int, pairing_key: str) -> bool:
    """Whether the runner was asked about this run before it went and came back."""
    survey_id = session.scalar(
        select(Survey.id).where(
            Survey.runner_id == runner_id, Survey.pairing_key == pairing_key
        )
    )
    return survey_id is not None


def count_runs_since_survey(
    session: Session, runner_id: int, *, before: datetime, now: datetime
) -> int:
    """Count the decided runs since the last one that a survey was sent for.

    Surveys from before those of `load_recent_questions` are not looked for: for a
    runner who is never asked that would be every run.
    """
    conditions = [
        Run.runner_id == runner_id,
        RUN_IS_CREDIBLE,
        Run.started_at > now - 2 * _LOOKBACK,
        Run.started_at < before,
    ]
    last_surveyed_at = session.scalar(
        select(Run.started_at)
        .join(
            Decision,
            and_(Decision.run_id == Run.id, Decision.runner_id == Run.runner_id),
        )
        .where(*conditions, Decision.verdict == DecisionVerdict.SEND)
        .order_by(Run.started_at.desc())
        .limit(1)
    )
    if last_surveyed_at is None:
        return 0
    count_query = select(func.count()).select_from(Run).where(*conditions)
    return session.scalar(count_query.where(Run.started_at > last_surveyed_at)) or 0


def save_decisions(
    session: Session, runner_id: int, decisions: Sequence[dict[str, Any]]
) -> None:
    """Keep one decision for each run: the first one made, until one asks after all.

    One that was made for what the recorder got wrong gives way to any other.
    """
    session.execute(_build_decision_upsert(session.get_bind()), decisions)
    session.execute(
        update(Run)
        .where(
            Run.runner_id == runner_id,
            Run.id.in_([row["run_id"] for row in decisions]),
        )
        .values(undecided_since=None)
        .execution_options(synchronize_session=False)
    )


@lru_cache(maxsize=4)  # building it costs more than running it
def _build_decision_upsert(bind: Bind) -> Executable:
    # The table and not its class: the ORM has nothing to add but time.
    table = Decision.__table__
    statement = dialect_insert(bind, table)
    return statement.on_conflict_do_update(
        index_elements=["run_id"],
        set_={name: statement.excluded[name] for name in _UPSERT_COLUMNS},
        where=or_(
            statement.excluded.verdict == DecisionVerdict.SEND,
            # It was not about the run, but about its recorder.
            table.c.reason == DecisionReason.CLOCK_AHEAD,
            table.c.reason == DecisionReason.IMPLAUSIBLE,
        ),
    )


def load_newest_run(
    session: Session, runner_id: int
) -> Row[datetime, str | None] | None:
    """Return when and in which zone the runner's newest run began."""
    return session.execute(_SELECT_NEWEST, {"whose": runner_id}).first()


def find_by_token(session: Session, token_hash: str) -> Survey | None:
    """Find a survey; one of a kind that this version does not know is none to it."""
    return session.scalar(
        select(Survey).where(
            Survey.token_hash == token_hash, Survey.kind.in_(list(SurveyKind))
        )
    )


def lock_by_token(session: Session, token_hash: str) -> Survey | None:
    """Return the survey of this token as it is once its runner's row is locked."""
    runner_id = session.scalar(
        select(Survey.runner_id).where(Survey.token_hash == token_hash)
    )
    if runner_id is None or not database.lock_runner(session, runner_id):
        return None
    return find_by_token(session, token_hash)


def find_answer(session: Session, survey: Survey) -> Answer | None:
    """Return what was said to this survey, by mail or on the dashboard."""
    is_answer = Answer.survey_id == survey.id
    if survey.run_id is not None:
        is_answer = is_answer | (Answer.run_id == survey.run_id)
    return session.scalar(
        select(Answer).where(Answer.runner_id == survey.runner_id, is_answer)
    )
