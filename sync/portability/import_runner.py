"""Bringing a runner in from another Moodmiles: all of it, or nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from sync.errors import InvalidAddress
from sync.models import Run, Runner
from sync.portability import unpack
from sync.portability.archive import InvalidExport
from sync.portability.validate import ExportBundle, read_bundle
from sync.preferences import Preferences
from sync.runners import address, retained_runs, store
from sync.runs import relink
from sync.runs.rules import retention_start
from sync.runtime import Runtime
from sync.surveys import instruments

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Who came, with how much, and how they get in: by Strava, or by a mailed link."""

    runner_id: int
    runs: int
    answers: int
    by_strava: bool
    is_mailed: bool = False


def import_runner(
    runtime: Runtime, path: Path, *, runner_id: int | None = None
) -> ImportResult:
    """Store what the ZIP holds, as a new runner or beside what `runner_id` has.

    Raises `NotAnExport`, or what `require_mood_consent` raises for a runner who is
    here; then nothing is stored.  A new one may have agreed to an older text: then
    they agree anew before anything is collected.
    """
    bundle = read_bundle(path, instruments.load_library(runtime.settings.data_dir))
    try:
        with runtime.db.transaction() as session:
            result = _store_bundle(runtime, session, bundle, runner_id)
    except (IntegrityError, DataError):
        raise InvalidExport("The file contradicts itself or what is here.") from None
    log.info("runner brought in", runner_id=result.runner_id, new=runner_id is None)
    return result


def _store_bundle(
    runtime: Runtime, session: Session, bundle: ExportBundle, runner_id: int | None
) -> ImportResult:
    now = runtime.db.now(session)
    if runner_id is None:
        runner = _create_runner(runtime, session, bundle, now=now)
        unpack.import_consents(session, runner.id, bundle.consents)
    else:
        runner = _load_runner(session, bundle, runner_id)
        store.require_mood_consent(session, runner.id)
    run_ids = unpack.import_runs(session, runner.id, bundle.runs)
    relink.relink_answers(
        session,
        runner.id,
        [run.source_id for run in bundle.runs if run.source == retained_runs.STRAVA],
    )
    survey_ids = unpack.import_surveys(session, runner.id, bundle.surveys, run_ids)
    vault = runtime.sealer.open_vault(runner.vault_key)
    answer_count = unpack.import_answers(
        session, (runner.id, vault), bundle.answers, run_ids, survey_ids=survey_ids
    )
    unpack.import_decisions(session, runner.id, bundle.decisions, run_ids)
    unpack.import_draws(session, runner.id, bundle.draws, survey_ids)
    unpack.import_mails(session, runner.id, bundle.mails, survey_ids)
    _apply_retention(runtime, session, runner.id, now=now)
    store.bump_data_version(session, runner.id)
    by_strava, email = runner.athlete_id is not None, bundle.account.email
    is_new = runner_id is None
    return ImportResult(
        runner_id=runner.id,
        runs=len(run_ids),
        answers=answer_count,
        by_strava=by_strava,
        is_mailed=is_new
        and not by_strava
        and _enqueue_confirmation(runtime, session, runner, email, now=now),
    )


def _create_runner(
    runtime: Runtime, session: Session, bundle: ExportBundle, *, now: datetime
) -> Runner:
    """Make the runner that the account describes, with one way in or the other.

    The file may say anything.  Who signs in by Strava proves who they are, and an
    address counts once its mail is answered; taking both would let a made-up file
    join one person's address with another's runs.
    """
    account = bundle.account
    if account.strava_athlete_id is not None:
        existing = store.find_by_athlete(session, account.strava_athlete_id)
        if existing is not None:
            raise InvalidExport(
                f"Its runner is here already: say --runner {existing.id} to add what "
                "is missing."
            )
    runner = Runner(
        athlete_id=account.strava_athlete_id,
        created_at=account.created_at,
        active_at=now,
        vault_key=runtime.sealer.new_vault_key(),
        zone=account.zone,
        preferences=Preferences.from_stored(account.preferences),
    )
    session.add(runner)
    session.flush()
    return runner


def _load_runner(session: Session, bundle: ExportBundle, runner_id: int) -> Runner:
    runner = session.get(Runner, runner_id, with_for_update=True)
    if runner is None:
        raise InvalidExport(f"There is no runner {runner_id}.")
    athlete_id = bundle.account.strava_athlete_id
    if athlete_id is not None and runner.athlete_id not in {None, athlete_id}:
        raise InvalidExport("The file is of another Strava account than that runner.")
    return runner


def _apply_retention(
    runtime: Runtime, session: Session, runner_id: int, *, now: datetime
) -> None:
    """Let go at once of what this host may not keep of Strava's."""
    since = retention_start(runtime.settings.strava_retention_days, now=now)
    if since is None:
        return
    expired_runs = [
        Run.runner_id == runner_id,
        Run.source == retained_runs.STRAVA,
        Run.started_at < since,
    ]
    retained_runs.insert_retained(
        session, runtime.sealer, select(Run.id).where(*expired_runs), now=now
    )
    session.execute(delete(Run).where(*expired_runs))


def _enqueue_confirmation(
    runtime: Runtime,
    session: Session,
    runner: Runner,
    email: str | None,
    *,
    now: datetime,
) -> bool:
    """Ask the address to confirm itself; what is no address is left out."""
    if email is None:
        return False
    try:
        address.enqueue_confirmation(
            session, runtime.sealer, runner_id=runner.id, email=email, now=now
        )
    except InvalidAddress:
        log.warning("address left out", runner_id=runner.id)
        return False
    return True
