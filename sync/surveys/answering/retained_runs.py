"""Keeping a run's distance in one's own log, where a host may not keep Strava's."""

from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.crypto import token_hash
from sync.models import Answer, Run, Runner
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runners.retained_runs import STRAVA, OwnFacts
from sync.runtime import Runtime
from sync.surveys import store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OwnLog:
    """What can be kept of a run, or `is_kept`; then the host's limit is no matter."""

    facts: OwnFacts
    is_kept: bool
    limit_days: int | None


def of_survey(runtime: Runtime, token: str) -> OwnLog | None:
    """Return what a survey's page offers to keep; None when there is nothing to."""
    with runtime.db.reading() as session:
        return _offer(runtime, session, _answer_to(session, token))


def of_run(runtime: Runtime, runner_id: int, run_id: int) -> OwnLog | None:
    with runtime.db.reading() as session:
        return _offer(runtime, session, _answer_about(session, runner_id, run_id))


def keep_for_survey(runtime: Runtime, token: str, *, keep: bool) -> None:
    """Keep the run behind this link in the runner's own log, or drop it again."""
    with runtime.db.transaction() as session:
        _change(runtime, session, _answer_to(session, token), keep=keep)


def keep_for_run(runtime: Runtime, runner_id: int, run_id: int, *, keep: bool) -> None:
    with runtime.db.transaction() as session:
        answer = _answer_about(session, runner_id, run_id)
        _change(runtime, session, answer, keep=keep)


def _answer_to(session: Session, token: str) -> Answer | None:
    survey = store.by_token(session, token_hash(token))
    return store.answer_to(session, survey) if survey else None


def _answer_about(session: Session, runner_id: int, run_id: int) -> Answer | None:
    return session.scalar(
        select(Answer).where(Answer.run_id == run_id, Answer.runner_id == runner_id)
    )


def _offer(runtime: Runtime, session: Session, answer: Answer | None) -> OwnLog | None:
    if answer is None:
        return None
    runner = session.get_one(Runner, answer.runner_id)
    said = runtime.sealer.vault(runner.vault_key).open(answer.sealed)
    limit_days = runtime.settings.strava_retention_days
    kept = OwnFacts.said_in(said)
    if kept is not None:
        return OwnLog(kept, is_kept=True, limit_days=limit_days)
    run = session.get(Run, answer.run_id) if answer.run_id else None
    if run is None or run.source != STRAVA or run.hidden_at or limit_days is None:
        return None
    facts = OwnFacts.about(run, runner.preferences.get("units", "km"))
    return OwnLog(facts, is_kept=False, limit_days=limit_days)


def _change(
    runtime: Runtime, session: Session, answer: Answer | None, *, keep: bool
) -> None:
    offer = _offer(runtime, session, answer)
    if answer is None or offer is None or offer.is_kept == keep:
        return
    if keep:
        runners.require_mood_consent(session, answer.runner_id)
    vault_key = session.get_one(Runner, answer.runner_id).vault_key
    vault = runtime.sealer.vault(vault_key)
    said = retained_runs.without(vault.open(answer.sealed))
    answer.sealed = vault.seal(said | (offer.facts.said() if keep else {}))
    if not keep:
        session.flush()
        retained_runs.drop(session, answer)
    runners.changed(session, answer.runner_id)
    log.info("own log changed", runner_id=answer.runner_id, kept=keep)
