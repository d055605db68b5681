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
    FigureDecision,
    Mail,
    Run,
    Runner,
    SetAside,
    Survey,
    Sweep,
)
from sync.queue import Work
from sync.runners import store
from sync.runners.tokens import access_token
from sync.runtime import Runtime

log = structlog.get_logger()

DISCONNECT, DELETE = "disconnect", "delete"
HALF_SAID = timedelta(minutes=2)  # longer than a goodbye takes


def disconnect(runtime: Runtime, runner_id: int) -> None:
    """Give our access back to Strava and remove everything that came from it."""
    _begin(runtime, runner_id, DISCONNECT)
    _give_back(runtime, runner_id)
    with runtime.db.transaction() as session:
        _remove_strava(runtime, session, runner_id)
    log.info("runner disconnected", runner_id=runner_id)


def delete_everything(runtime: Runtime, runner_id: int) -> None:
    """Erase the runner: runs, answers, mails, address, tokens and sign-ins."""
    _begin(runtime, runner_id, DELETE)
    _give_back(runtime, runner_id)
    with runtime.db.transaction() as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return
        _receipt(runtime, session, runner, kind="deleted")
        if runner.athlete_id is not None:
            session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
        session.execute(delete(Runner).where(Runner.id == runner_id))
    log.info("runner deleted", runner_id=runner_id)


def resume(runtime: Runtime) -> None:
    """Finish the goodbyes that a dying process left half said."""
    runtime.queue.woken(Work.LEAVING)
    with runtime.db.reading() as session:
        begun_before = runtime.db.now(session) - HALF_SAID
        waiting = session.execute(
            select(Runner.id, Runner.leaving_for).where(
                Runner.leaving_since.is_not(None), Runner.leaving_since <= begun_before
            )
        ).all()
    for runner_id, leaving_for in waiting:
        finish = delete_everything if leaving_for == DELETE else disconnect
        finish(runtime, runner_id)


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


def _begin(runtime: Runtime, runner_id: int, leaving_for: str) -> None:
    """Write down what the runner wants before anything is undone.

    From here on nobody uses the tokens, which Strava will soon refuse.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        session.execute(
            update(Runner)
            .where(Runner.id == runner_id)
            .values(leaving_for=leaving_for, leaving_since=now)
        )
        session.execute(
            update(Connection)
            .where(Connection.runner_id == runner_id, Connection.broken_at.is_(None))
            .values(broken_at=now)
        )


def _give_back(runtime: Runtime, runner_id: int) -> None:
    token = _some_token(runtime, runner_id)
    if token is None:
        return
    try:
        runtime.strava.revoke(token)
    except MoodmilesError as error:
        log.warning(
            "access not given back", runner_id=runner_id, error=type(error).__name__
        )


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
    for table in (Run, SetAside, Backfill, Sweep, FigureDecision, Connection):
        session.execute(delete(table).where(table.runner_id == runner_id))
    runner.athlete_id = None
    runner.leaving_for, runner.leaving_since = None, None
    for kind in ("strava", "private"):
        store.withdraw(session, runner_id, kind, at=now)
    store.changed(session, runner_id)
    _receipt(runtime, session, runner, kind="disconnected")


def _keep_unsent_in(session: Session, runner_id: int, *, now: datetime) -> None:
    """Cancel every open survey, its mails, and the invitation to reconnect."""
    session.execute(
        update(Survey)
        .where(Survey.runner_id == runner_id, Survey.expires_at > now)
        .values(cancelled_for="disconnected")
    )
    outbox.cancel_surveys(session, runner_id, "disconnected")
    session.execute(
        update(Mail)
        .where(Mail.runner_id == runner_id, Mail.kind == "reconnect")
        .where(Mail.due_at.is_not(None))
        .values(due_at=None, withheld_for="disconnected", sealed=None)
    )


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
