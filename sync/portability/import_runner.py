"""Import a runner from another instance's export: all of it, or nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.database import lock_name
from sync.errors import InvalidAddress
from sync.models import Run, Runner
from sync.portability.archive import InvalidExport
from sync.portability.rekey import rekey_bundle
from sync.portability.unpack import RowImporter
from sync.portability.validate import (
    ExportBundle,
    check_times,
    read_bundle,
    require_consents,
)
from sync.preferences import Preferences
from sync.runners import address, retained_runs, store
from sync.runs import duplicates, relink
from sync.runs.rules import retention_start
from sync.runs.store import began_before
from sync.runtime import Runtime
from sync.surveys import instruments

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The imported runner; `by_strava` and `is_mailed` say how they can sign in."""

    runner_id: int
    runs: int
    answers: int
    by_strava: bool
    is_mailed: bool = False


def import_runner(
    runtime: Runtime, path: Path, *, runner_id: int | None = None
) -> ImportResult:
    """Store what the ZIP holds, as a new runner or beside what `runner_id` has.

    Raises `InvalidExport`, or what `require_mood_consent` raises for a runner who is
    here; then nothing is stored.  What a new runner agreed to elsewhere they are
    asked anew here: until then nothing is collected.
    """
    bundle = read_bundle(path, instruments.load_library(runtime.settings.data_dir))
    try:
        result = _store_bundle(runtime, bundle, runner_id)
    except (IntegrityError, DataError):
        raise InvalidExport("The file contradicts itself or what is here.") from None
    log.info("runner brought in", runner_id=result.runner_id, new=runner_id is None)
    return result


@retry_conflicts
def _store_bundle(
    runtime: Runtime, bundle: ExportBundle, runner_id: int | None
) -> ImportResult:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        if runner_id is None:
            runner = _create_runner(runtime, session, bundle, now=now)
        else:
            runner = _load_runner(session, bundle, runner_id)
            # What let the first file in lets its second part in, too.
            store.require_mood_consent(session, runner.id, trusts_files=True)
        check_times(bundle, now=now)
        vault = runtime.sealer.open_vault(runner.vault_key)
        bundle = rekey_bundle(bundle, vault, _load_run_sources(session, runner.id))
        library = instruments.load_library(runtime.settings.data_dir)
        importer = RowImporter(session, runner.id, vault, library)
        if runner_id is None:
            require_consents(bundle.consents)
            importer.import_consents(bundle.consents)
        importer.import_runs(bundle.runs)
        strava_ids = [
            run.source_id for run in bundle.runs if run.source == retained_runs.STRAVA
        ]
        relink.relink_answers(session, runtime.sealer, runner.id, strava_ids)
        importer.import_surveys(bundle.surveys)
        answer_count = importer.import_answers(bundle.answers)
        importer.import_notes(bundle.notes)
        importer.import_decisions(bundle.decisions)
        importer.import_draws(bundle.draws)
        importer.import_delays(bundle.delays)
        importer.import_mails(bundle.mails)
        # The file says which recordings count, but not by the times believed here.
        starts = [run.started_at for run in bundle.runs]
        duplicates.resolve_duplicates(session, runner.id, starts)
        _apply_retention(runtime, session, runner.id, now=now)
        store.bump_data_version(session, runner.id)
        is_mailed, email = False, bundle.account.email
        is_claimed = runner.claimed_athlete_id is not None
        if runner_id is None and not is_claimed and email is not None:
            try:
                address.enqueue_confirmation(
                    session,
                    runtime.sealer,
                    runner_id=runner.id,
                    email=email,
                    now=now,
                )
                is_mailed = True
            except InvalidAddress:
                log.warning("address left out", runner_id=runner.id)
        return ImportResult(
            runner_id=runner.id,
            runs=len(importer.run_ids),
            answers=answer_count,
            by_strava=is_claimed,
            is_mailed=is_mailed,
        )


def _create_runner(
    runtime: Runtime, session: Session, bundle: ExportBundle, *, now: datetime
) -> Runner:
    """Create the runner of the account, who gets in by Strava or by address.

    The file is not trusted.  Linking Strava proves the athlete, and a mailed link
    proves the address; to take both would let a made-up file join one person's
    address with another person's runs.
    """
    account = bundle.account
    if account.strava_athlete_id is not None:
        # Two imports of one file at once: the second finds what the first has made.
        lock_name(session, f"import of athlete {account.strava_athlete_id}")
        existing = store.find_by_athlete(
            session, account.strava_athlete_id
        ) or store.find_claimant(session, account.strava_athlete_id)
        if existing is not None:
            raise InvalidExport(
                f"Its runner is here already: say --runner {existing.id} to add what "
                "is missing."
            )
    runner = Runner(
        claimed_athlete_id=account.strava_athlete_id,
        created_at=account.created_at,
        active_at=now,
        vault_key=runtime.sealer.new_vault_key(account.pairing_secret),
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
    known_id = runner.athlete_id or runner.claimed_athlete_id
    if athlete_id is not None and known_id not in {None, athlete_id}:
        raise InvalidExport("The file is of another Strava account than that runner.")
    return runner


def _load_run_sources(session: Session, runner_id: int) -> list[tuple[str, int]]:
    rows = session.execute(
        select(Run.source, Run.source_id).where(Run.runner_id == runner_id)
    )
    return [(row.source, row.source_id) for row in rows]


def _apply_retention(
    runtime: Runtime, session: Session, runner_id: int, *, now: datetime
) -> None:
    """Delete at once the runs from Strava that this host may not keep."""
    since = retention_start(runtime.settings.strava_retention_days, now=now)
    if since is None:
        return
    expired_runs = [
        Run.runner_id == runner_id,
        Run.source == retained_runs.STRAVA,
        began_before(since),
    ]
    retained_runs.insert_retained(
        session,
        runtime.sealer,
        runner_id,
        select(Run.id).where(*expired_runs),
        now=now,
    )
    session.execute(delete(Run).where(*expired_runs))
