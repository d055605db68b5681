"""Leaving: Strava's data goes, the runner's own answers stay, or all goes."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from sync.crypto import KeyLost
from sync.errors import AccessRevoked, MoodmilesError
from sync.mail import outbox
from sync.models import (
    Backfill,
    Connection,
    Event,
    Run,
    Runner,
    SetAside,
    Survey,
    Sweep,
)
from sync.runners import store
from sync.runners.tokens import access_token
from sync.runtime import Runtime

log = structlog.get_logger()


def disconnect(runtime: Runtime, runner_id: int) -> None:
    """Give our access back to Strava and remove everything that came from it."""
    token = _some_token(runtime, runner_id)
    if token is not None:
        try:
            runtime.strava.revoke(token)
        except MoodmilesError as error:
            log.warning(
                "access not given back", runner_id=runner_id, error=type(error).__name__
            )
    with runtime.db.transaction() as session:
        _remove_strava(runtime, session, runner_id)
    log.info("runner disconnected", runner_id=runner_id)


def if_revoked(runtime: Runtime, runner_id: int) -> None:
    """Believe a deauthorisation only when Strava refuses to refresh the tokens.

    Events are not signed for certain, and a forged one must delete nothing.
    """
    try:
        with runtime.db.reading() as session:
            connection = session.get(Connection, runner_id)
            refused = (
                runtime.sealer.open(connection.access_token) if connection else None
            )
        access_token(runtime, runner_id, refused=refused)
    except AccessRevoked:
        with runtime.db.transaction() as session:
            _remove_strava(runtime, session, runner_id)
        log.info("runner revoked access", runner_id=runner_id)


def delete_everything(runtime: Runtime, runner_id: int) -> None:
    """Erase the runner: runs, answers, mails, address, tokens and sign-ins."""
    token = _some_token(runtime, runner_id)
    if token is not None:
        try:
            runtime.strava.revoke(token)
        except MoodmilesError as error:
            log.warning("access not given back", error=type(error).__name__)
    with runtime.db.transaction() as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return
        _receipt(runtime, session, runner, kind="deleted")
        if runner.athlete_id is not None:
            session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
        session.execute(delete(Runner).where(Runner.id == runner_id))
    log.info("runner deleted", runner_id=runner_id)


def _some_token(runtime: Runtime, runner_id: int) -> str | None:
    """Return any token that Strava would recognise: one revokes both."""
    with runtime.db.reading() as session:
        sealed = session.scalar(
            select(Connection.refresh_token).where(Connection.runner_id == runner_id)
        )
    try:
        return runtime.sealer.open(sealed) if sealed else None
    except KeyLost:
        return None


def _remove_strava(runtime: Runtime, session: Session, runner_id: int) -> None:
    runner = session.get(Runner, runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    _keep_unsent_in(session, runner_id, now=now)
    if runner.athlete_id is not None:
        session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
    for table in (Run, SetAside, Backfill, Sweep, Connection):
        session.execute(delete(table).where(table.runner_id == runner_id))
    runner.athlete_id = None
    for kind in ("strava", "private"):
        store.withdraw(session, runner_id, kind, at=now)
    store.changed(session, runner_id)
    _receipt(runtime, session, runner, kind="disconnected")


def _keep_unsent_in(session: Session, runner_id: int, *, now: datetime) -> None:
    """Cancel every open survey and the mails that wait for it."""
    session.execute(
        update(Survey)
        .where(Survey.runner_id == runner_id, Survey.expires_at > now)
        .values(cancelled_for="disconnected")
    )
    outbox.cancel_surveys(session, runner_id, "disconnected")


def _receipt(runtime: Runtime, session: Session, runner: Runner, *, kind: str) -> None:
    """Promise written confirmation; a deleted runner's goes out without a row."""
    if runner.email is None or runner.email_confirmed_at is None:
        return
    now = runtime.db.now(session)
    outbox.promise(
        session,
        sealer=runtime.sealer,
        now=now,
        dedupe_key=f"{kind}:{runner.id}:{now:%Y%m%d%H%M%S%f}",
        kind=kind,
        # The receipt must outlive the runner it is for.
        runner_id=None if kind == "deleted" else runner.id,
        values={},
        to=runtime.sealer.open(runner.email),
        stale_at=now + timedelta(days=7),
    )
