"""Bringing a runner in from another Moodmiles: all of it, or nothing."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from sync.errors import BadAddress
from sync.models import Run, Runner
from sync.portability import unpack
from sync.portability.archive import NotAnExport
from sync.portability.validate import Luggage, read
from sync.runners import address, retained_runs, store
from sync.runs import relink
from sync.runs.rules import kept_since
from sync.runtime import Runtime
from sync.surveys import instruments

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Brought:
    """Who came, with how much, and how they get in: by Strava, or by a mailed link."""

    runner_id: int
    runs: int
    answers: int
    by_strava: bool
    is_mailed: bool = False


def bring_in(runtime: Runtime, path: Path, *, runner_id: int | None = None) -> Brought:
    """Store what the ZIP holds, as a new runner or beside what `runner_id` has.

    Raises `NotAnExport`, or what `require_mood_consent` raises for a runner who is
    here; then nothing is stored.  A new one may have agreed to an older text: then
    they agree anew before anything is collected.
    """
    luggage = read(path, instruments.library(runtime.settings.data_dir))
    try:
        with runtime.db.transaction() as session:
            brought = _bring(runtime, session, luggage, runner_id)
    except (IntegrityError, DataError):
        raise NotAnExport("The file contradicts itself or what is here.") from None
    log.info("runner brought in", runner_id=brought.runner_id, new=runner_id is None)
    return brought


def _bring(
    runtime: Runtime, session: Session, luggage: Luggage, runner_id: int | None
) -> Brought:
    now = runtime.db.now(session)
    if runner_id is None:
        runner = _new_runner(runtime, session, luggage, now=now)
        unpack.consents(session, runner.id, luggage.consents)
    else:
        runner = _known_runner(session, luggage, runner_id)
        store.require_mood_consent(session, runner.id)
    places = unpack.runs(session, runner.id, luggage.runs)
    relink.pair_again(
        session,
        runner.id,
        [run.source_id for run in luggage.runs if run.source == retained_runs.STRAVA],
    )
    asked = unpack.surveys(session, runner.id, luggage.surveys, places)
    vault = runtime.sealer.vault(runner.vault_key)
    said = unpack.answers(
        session, (runner.id, vault), luggage.answers, places, surveys=asked
    )
    unpack.decisions(session, runner.id, luggage.decisions, places)
    unpack.draws(session, runner.id, luggage.draws, asked)
    unpack.mails(session, runner.id, luggage.mails, asked)
    _keep_within_the_limit(runtime, session, runner.id, now=now)
    store.changed(session, runner.id)
    by_strava, email = runner.athlete_id is not None, luggage.account.email
    is_new = runner_id is None
    return Brought(
        runner_id=runner.id,
        runs=len(places),
        answers=said,
        by_strava=by_strava,
        is_mailed=is_new
        and not by_strava
        and _mail(runtime, session, runner, email, now=now),
    )


def _new_runner(
    runtime: Runtime, session: Session, luggage: Luggage, *, now: datetime
) -> Runner:
    """Make the runner that the account describes, with one way in or the other.

    The file may say anything.  Who signs in by Strava proves who they are, and an
    address counts once its mail is answered; taking both would let a made-up file
    join one person's address with another's runs.
    """
    account = luggage.account
    if account.strava_athlete_id is not None:
        here = store.by_athlete(session, account.strava_athlete_id)
        if here is not None:
            raise NotAnExport(
                f"Its runner is here already: say --runner {here.id} to add what "
                "is missing."
            )
    runner = Runner(
        athlete_id=account.strava_athlete_id,
        created_at=account.created_at,
        active_at=now,
        vault_key=runtime.sealer.new_vault_key(),
        zone=account.zone,
        preferences=account.preferences,
    )
    session.add(runner)
    session.flush()
    return runner


def _known_runner(session: Session, luggage: Luggage, runner_id: int) -> Runner:
    runner = session.get(Runner, runner_id, with_for_update=True)
    if runner is None:
        raise NotAnExport(f"There is no runner {runner_id}.")
    theirs = luggage.account.strava_athlete_id
    if theirs is not None and runner.athlete_id not in {None, theirs}:
        raise NotAnExport("The file is of another Strava account than that runner.")
    return runner


def _keep_within_the_limit(
    runtime: Runtime, session: Session, runner_id: int, *, now: datetime
) -> None:
    """Let go at once of what this host may not keep of Strava's."""
    since = kept_since(runtime.settings.strava_retention_days, now=now)
    if since is None:
        return
    old = [
        Run.runner_id == runner_id,
        Run.source == retained_runs.STRAVA,
        Run.started_at < since,
    ]
    retained_runs.stand_in(session, runtime.sealer, select(Run.id).where(*old), now=now)
    session.execute(delete(Run).where(*old))


def _mail(
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
        address.promise(
            session, runtime.sealer, runner_id=runner.id, email=email, now=now
        )
    except BadAddress:
        log.warning("address left out", runner_id=runner.id)
        return False
    return True
