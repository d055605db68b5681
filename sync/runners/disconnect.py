"""Leaving: Strava's data goes, the runner's own answers stay, or all goes.

What a runner asks for is written down before anything is undone, so whoever comes
next finishes what a dying process began.
"""

from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import ColumnElement, and_, case, delete, or_, select, update
from sqlalchemy.orm import Session

from sync import account_state, counters
from sync.crypto import KeyLost
from sync.errors import AccessRevoked, MoodmilesError
from sync.mail import outbox
from sync.models import (
    Backfill,
    Connection,
    Event,
    Export,
    FigureDecision,
    Mail,
    Run,
    Runner,
    SetAside,
    Survey,
    Sweep,
)
from sync.queue import Work, shift
from sync.runners import retained_runs, store
from sync.runners.tokens import access_token
from sync.runtime import Runtime

log = structlog.get_logger()

DISCONNECT, DELETE = "disconnect", "delete"


def disconnect(runtime: Runtime, runner_id: int) -> None:
    """Give our access back to Strava and remove everything that came from it."""
    _begin(runtime, runner_id, DISCONNECT)
    _give_back(runtime, runner_id)
    with runtime.db.transaction() as session:
        _remove_strava(runtime, session, runner_id)
        counters.count(session, "runner disconnected", at=runtime.db.now(session))
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
        counters.count(session, "runner deleted", at=runtime.db.now(session))
        if runner.athlete_id is not None:
            session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
        session.execute(delete(Runner).where(Runner.id == runner_id))
    runtime.db.forget()
    log.info("runner deleted", runner_id=runner_id)


def resume(runtime: Runtime) -> None:
    """Delete what can be undone no more, and finish what a dying process began."""
    for runner_id, leaving_for in shift(
        runtime.queue, Work.LEAVING, partial(_take, runtime)
    ):
        finish = delete_everything if leaving_for == DELETE else disconnect
        finish(runtime, runner_id)


def _take(runtime: Runtime) -> tuple[int, str | None] | None:
    """Make this process the only one that says the next goodbye."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        first = (
            select(Runner.id)
            .where(_waits(now))
            .order_by(Runner.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        taken = session.execute(
            update(Runner)
            .where(Runner.id == first, _waits(now))
            .values(
                leaving_for=case(
                    (Runner.leaving_since.is_(None), DELETE), else_=Runner.leaving_for
                ),
                leaving_since=now,
            )
            .returning(Runner.id, Runner.leaving_for)
            .execution_options(synchronize_session=False)
        ).first()
    return (taken.id, taken.leaving_for) if taken else None


def _waits(now: datetime) -> ColumnElement[bool]:
    half_said = Runner.leaving_since <= now - account_state.HALF_SAID
    can_be_undone_no_more = and_(Runner.leaving_since.is_(None), Runner.erase_at <= now)
    return or_(half_said, can_be_undone_no_more)


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
    mine = [Run.runner_id == runner_id, Run.source == retained_runs.STRAVA]
    going = select(Run.id).where(*mine)
    retained_runs.stand_in(session, runtime.sealer, going, now=now)
    session.execute(delete(Run).where(*mine))
    for table in (Export, SetAside, Backfill, Sweep, FigureDecision, Connection):
        session.execute(delete(table).where(table.runner_id == runner_id))
    runner.athlete_id = None
    runner.leaving_for, runner.leaving_since = None, None
    for kind in ("strava", "private"):
        store.withdraw(session, runner_id, kind, at=now)
    store.changed(session, runner_id)
    _receipt(runtime, session, runner, kind="disconnected")


def _keep_unsent_in(session: Session, runner_id: int, *, now: datetime) -> None:
    """Cancel open surveys, their mails, looks back, and the invitation to reconnect."""
    session.execute(
        update(Survey)
        .where(Survey.runner_id == runner_id, Survey.expires_at > now)
        .values(cancelled_for="disconnected")
    )
    outbox.cancel_surveys(session, runner_id, "disconnected")
    outbox.cancel_digests(session, runner_id, "disconnected")
    session.execute(
        update(Mail)
        .where(Mail.runner_id == runner_id, Mail.kind == "reconnect")
        .where(Mail.due_at.is_not(None))
        .values(due_at=None, withheld_for="disconnected", sealed=None)
    )


def _receipt(runtime: Runtime, session: Session, runner: Runner, *, kind: str) -> None:
    """Promise written confirmation; a deleted runner's goes out without a row."""
    address = _address(runtime, runner)
    if address is None:
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
        to=address,
        language=str(runner.preferences.get("language", "")),
        stale_at=now + timedelta(days=7),
    )


def _address(runtime: Runtime, runner: Runner) -> str | None:
    """Return where a receipt goes; one that cannot be read stops no goodbye."""
    if runner.email is None or runner.email_confirmed_at is None:
        return None
    try:
        return runtime.sealer.open(runner.email)
    except KeyLost:
        log.warning("no receipt: its address cannot be read", runner_id=runner.id)
        return None
