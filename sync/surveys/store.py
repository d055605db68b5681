"""The tables behind asking: undecided runs, decisions, surveys, answers."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
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

from sync import account_state
from sync.database import Bind, insert
from sync.models import Answer, Connection, Decision, Mail, Run, Runner, Survey
from sync.surveys.policy.frequency import Asked, Mailed, Silence
from sync.surveys.policy.run_decision import RunFacts

BATCH = 500  # decided in one transaction, which must stay short
_LOOK_BACK = timedelta(days=8)
_LOOKED_BACK_AT = 12
_QUESTIONS = ("survey", "survey_reminder", "checkin")
_DECIDED_AGAIN = ("verdict", "reason", "minutes_since_end", "policy", "decided_at")
# Built once, for they run with every page of an import, as in `runners.store`.
_WHOSE = bindparam("whose", type_=Run.runner_id.type)
_OLDEST = (
    select(Run.runner_id, func.min(Run.undecided_since).label("since"))
    .where(Run.undecided_since.is_not(None))
    .group_by(Run.runner_id)
    .subquery()
)
_WAITING = (
    select(Runner.id)
    .join(_OLDEST, _OLDEST.c.runner_id == Runner.id)
    .where(account_state.may_collect(Runner.id))
    .order_by(_OLDEST.c.since)
)
_LINKED_AT = select(Connection.linked_at).where(Connection.runner_id == _WHOSE)
_UNDECIDED = (
    select(
        Run.id,
        Run.started_at,
        Run.elapsed_s,
        Run.start_known,
        Run.undecided_since,
        Run.local_day,
        Run.distance_m,
        Run.moving_s,
        Run.manual,
        Run.race,
        Run.imported,
    )
    .where(Run.runner_id == _WHOSE, Run.undecided_since.is_not(None))
    # As an index has them; by their starts all would be sorted for each batch.
    .order_by(Run.undecided_since)
    .limit(BATCH)
)
# The last of an index: a max() of rows that may be hidden reads all of them.
_NEWEST = (
    select(Run.started_at, Run.zone)
    .where(Run.runner_id == _WHOSE, Run.hidden_at.is_(None))
    .order_by(Run.started_at.desc(), Run.id.desc())
    .limit(1)
)


def waiting_runners(session: Session) -> Sequence[int]:
    """Return runners with runs that the policy has not looked at yet."""
    return session.scalars(_WAITING).all()


def lock(session: Session, runner_id: int) -> Runner | None:
    """Hold the runner's row, so that two workers never decide side by side."""
    return session.scalar(
        select(Runner).where(Runner.id == runner_id).with_for_update()
    )


def linked_at(session: Session, runner_id: int) -> datetime | None:
    return session.scalar(_LINKED_AT, {"whose": runner_id})


def undecided(session: Session, runner_id: int) -> list[RunFacts]:
    """Return the undecided runs that waited longest, in order of their starts."""
    rows = session.execute(_UNDECIDED, {"whose": runner_id})
    return sorted(map(facts, rows), key=lambda run: (run.started_at, run.run_id))


def runs(session: Session, run_ids: Sequence[int]) -> Sequence[Run]:
    """Return these runs, oldest first."""
    if not run_ids:
        return ()
    return session.scalars(
        select(Run).where(Run.id.in_(run_ids)).order_by(Run.started_at, Run.id)
    ).all()


def facts(run: Run | Row[*tuple[Any, ...]]) -> RunFacts:
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
        race=run.race,
        imported=run.imported,
    )


def asked_lately(session: Session, runner_id: int, *, now: datetime) -> list[Asked]:
    """Return the runner's questions of these days that stand, sent or not."""
    answered_at = (
        select(func.min(Answer.answered_at)).where(_to(Survey)).scalar_subquery()
    )
    rows = session.execute(
        select(
            Survey.id,
            Survey.kind,
            Survey.local_day,
            Survey.send_at,
            Survey.sent_at,
            Survey.skipped_at,
            Run.local_day,
            answered_at,
        )
        .outerjoin(Run, Run.id == Survey.run_id)
        .where(
            Survey.runner_id == runner_id,
            Survey.send_at > now - _LOOK_BACK,
            Survey.cancelled_for.is_(None),
        )
    )
    return [
        Asked(
            survey_id=survey_id,
            local_day=day or send_at.date(),
            send_at=send_at,
            is_sent=sent_at is not None,
            run_day=_run_day(run_day, day or send_at.date()) if kind == "run" else None,
            answered_at=answered,
            is_skipped=skipped_at is not None,
        )
        for survey_id, kind, day, send_at, sent_at, skipped_at, run_day, answered in (
            rows
        )
    ]


def mailed_lately(session: Session, runner_id: int, *, now: datetime) -> list[Mailed]:
    """Return the mails with a question that went out these days or still will."""
    at = func.coalesce(Mail.sent_at, Mail.due_at, type_=Mail.sent_at.type)
    rows = session.execute(
        select(Mail.survey_id, Mail.kind, at, Mail.sent_at.is_not(None)).where(
            Mail.runner_id == runner_id,
            Mail.kind.in_(_QUESTIONS),
            at > now - _LOOK_BACK,
        )
    )
    return [
        Mailed(survey_id or 0, kind, moment, is_sent=is_sent)
        for survey_id, kind, moment, is_sent in rows
    ]


def silences(
    session: Session, runner_id: int, *, since: datetime | None, now: datetime
) -> list[Silence]:
    """Return the questions that have gone out, newest first."""
    reminded = exists().where(
        Mail.survey_id == Survey.id,
        Mail.kind == "survey_reminder",
        Mail.sent_at.is_not(None),
    )
    asked = (
        select(
            exists().where(_to(Survey)) | Survey.skipped_at.is_not(None),
            Survey.expires_at <= now,
            reminded,
        )
        .where(
            Survey.runner_id == runner_id,
            Survey.sent_at.is_not(None),
            # One that moved behind a second run was answered there, or not.
            Survey.cancelled_for.is_(None),
        )
        .order_by(Survey.sent_at.desc(), Survey.id.desc())
        .limit(_LOOKED_BACK_AT)
    )
    if since is not None:
        asked = asked.where(Survey.sent_at > since)
    return [
        Silence(is_answered=answered, is_over=over, is_reminded=was_reminded)
        for answered, over, was_reminded in session.execute(asked)
    ]


def _run_day(of_run: date | None, asked_on: date) -> date:
    """Return the run's day; one that is gone counts on the day it was asked."""
    return asked_on if of_run is None else of_run


def _to(survey: type[Survey]) -> Any:
    """Say that an answer is one to this survey, from its page or elsewhere."""
    return or_(
        Answer.survey_id == survey.id,
        and_(survey.run_id.is_not(None), Answer.run_id == survey.run_id),
    )


def asked_before(session: Session, key: str) -> bool:
    """Whether this run was asked about before it went away and came back."""
    return (
        session.scalar(select(Survey.id).where(Survey.pairing_key == key)) is not None
    )


def runs_since_asked(
    session: Session, runner_id: int, *, before: datetime, now: datetime
) -> int:
    """Count the decided runs since the last one that a survey was sent for.

    What was asked before the questions that still matter (`asked_lately`) is not
    looked for: for a runner who is never asked that would be every run.
    """
    mine = [
        Run.runner_id == runner_id,
        Run.started_at > now - 2 * _LOOK_BACK,
        Run.started_at < before,
    ]
    newest = session.scalar(
        select(Run.started_at)
        .join(Decision, Decision.run_id == Run.id)
        .where(*mine, Decision.verdict == "send")
        .order_by(Run.started_at.desc())
        .limit(1)
    )
    if newest is None:
        return 0
    since = select(func.count()).select_from(Run).where(*mine)
    return session.scalar(since.where(Run.started_at > newest)) or 0


def note(session: Session, decisions: Sequence[dict[str, Any]]) -> None:
    """Keep one decision for each run: the first one made, until one asks after all."""
    session.execute(_noting(session.get_bind()), decisions)
    session.execute(
        update(Run)
        .where(Run.id.in_([row["run_id"] for row in decisions]))
        .values(undecided_since=None)
        .execution_options(synchronize_session=False)
    )


@lru_cache(maxsize=4)  # building it costs more than running it
def _noting(bind: Bind) -> Executable:
    # The table and not its class: the ORM has nothing to add but time.
    told = insert(bind, Decision.__table__)
    return told.on_conflict_do_update(
        index_elements=["run_id"],
        set_={name: told.excluded[name] for name in _DECIDED_AGAIN},
        where=told.excluded.verdict == "send",
    )


def newest(session: Session, runner_id: int) -> Row[datetime, str | None] | None:
    """Return when and in which zone the runner's newest run began."""
    return session.execute(_NEWEST, {"whose": runner_id}).first()


def by_token(session: Session, hashed: str) -> Survey | None:
    return session.scalar(select(Survey).where(Survey.token_hash == hashed))


def answer_to(session: Session, survey: Survey) -> Answer | None:
    """Return what was said to this survey, by mail or on the dashboard."""
    same = Answer.survey_id == survey.id
    if survey.run_id is not None:
        same = same | (Answer.run_id == survey.run_id)
    return session.scalar(select(Answer).where(same))
