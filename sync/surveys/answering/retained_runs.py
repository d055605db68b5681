"""Keeping a run's distance in one's own log, where a host may not keep Strava's."""

from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.crypto import hash_token
from sync.models import Answer, Run, Runner
from sync.runners import retained_runs
from sync.runners import store as runners
from sync.runners.retained_runs import STRAVA, RetainedFacts
from sync.runtime import Runtime
from sync.surveys import instruments, store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RetentionOffer:
    """The facts of a run that can be retained, or are (`is_retained`).

    Once they are, the host's limit does not concern them.
    """

    facts: RetainedFacts
    is_retained: bool
    limit_days: int | None


def load_offer_for_survey(runtime: Runtime, token: str) -> RetentionOffer | None:
    """Return what a survey's page offers to keep; None when there is nothing to."""
    with runtime.db.read_only() as session:
        return _build_offer(runtime, session, _find_survey_answer(session, token))


def load_offer_for_run(
    runtime: Runtime, runner_id: int, run_id: int
) -> RetentionOffer | None:
    with runtime.db.read_only() as session:
        return _build_offer(
            runtime, session, _find_run_answer(session, runner_id, run_id)
        )


@retry_conflicts
def set_retained_for_survey(runtime: Runtime, token: str, *, retain: bool) -> None:
    """Keep the run behind this link in the runner's own log, or drop it again."""
    with runtime.db.transaction() as session:
        survey = store.lock_by_token(session, hash_token(token))
        answer = store.find_answer(session, survey) if survey else None
        _set_retained(runtime, session, answer, retain=retain)


@retry_conflicts
def set_retained_for_run(
    runtime: Runtime, runner_id: int, run_id: int, *, retain: bool
) -> None:
    with runtime.db.transaction(runner_id=runner_id) as session:
        answer = _find_run_answer(session, runner_id, run_id)
        _set_retained(runtime, session, answer, retain=retain)


def _find_survey_answer(session: Session, token: str) -> Answer | None:
    survey = store.find_by_token(session, hash_token(token))
    return store.find_answer(session, survey) if survey else None


def _find_run_answer(session: Session, runner_id: int, run_id: int) -> Answer | None:
    return session.scalar(
        select(Answer).where(Answer.run_id == run_id, Answer.runner_id == runner_id)
    )


def _build_offer(
    runtime: Runtime, session: Session, answer: Answer | None
) -> RetentionOffer | None:
    if answer is None:
        return None
    runner = session.get_one(Runner, answer.runner_id)
    values = runtime.sealer.open_vault(runner.vault_key).open(answer.sealed)
    limit_days = runtime.settings.strava_retention_days
    retained_facts = RetainedFacts.from_answer(values)
    if retained_facts is not None:
        return RetentionOffer(retained_facts, is_retained=True, limit_days=limit_days)
    run = session.scalar(
        select(Run).where(Run.id == answer.run_id, Run.runner_id == answer.runner_id)
    )
    if run is None or run.source != STRAVA or run.hidden_at or limit_days is None:
        return None
    facts = RetainedFacts.from_run(run, runner.preferences.units)
    return RetentionOffer(facts, is_retained=False, limit_days=limit_days)


def _set_retained(
    runtime: Runtime, session: Session, answer: Answer | None, *, retain: bool
) -> None:
    offer = _build_offer(runtime, session, answer)
    if answer is None or offer is None or offer.is_retained == retain:
        return
    if retain:
        runners.require_mood_consent(session, answer.runner_id)
    library = instruments.load_library(runtime.settings.data_dir)
    vault_key = session.get_one(Runner, answer.runner_id).vault_key
    vault = runtime.sealer.open_vault(vault_key)
    values = retained_runs.without_retained(vault.open(answer.sealed))
    answer.sealed = vault.seal(
        values | (offer.facts.to_answer_values() if retain else {}),
        min_bytes=library.answer_bytes,
    )
    if not retain:
        session.flush()
        retained_runs.remove_for_answer(session, answer)
    runners.bump_data_version(session, answer.runner_id)
    log.info("own log changed", runner_id=answer.runner_id, kept=retain)
