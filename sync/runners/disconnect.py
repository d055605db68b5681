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
    QuarantinedRecord,
    ReconcileState,
    Run,
    Runner,
    Survey,
)
from sync.queue import Job, claim_until_idle
from sync.runners import retained_runs, store
from sync.runners.tokens import get_access_token
from sync.runtime import Runtime
from sync.vocabulary import (
    CancellationReason,
    ConsentKind,
    MailKind,
    RemovalKind,
    SuppressionReason,
)

log = structlog.get_logger()


def disconnect(runtime: Runtime, runner_id: int) -> None:
    """Give our access back to Strava and remove everything that came from it."""
    _mark_leaving(runtime, runner_id, RemovalKind.DISCONNECT)
    _revoke_access(runtime, runner_id)
    with runtime.db.transaction() as session:
        _remove_strava_data(runtime, session, runner_id)
        counters.increment(session, "runner disconnected", at=runtime.db.now(session))
    log.info("runner disconnected", runner_id=runner_id)


def delete_runner(runtime: Runtime, runner_id: int) -> None:
    """Erase the runner: runs, answers, mails, address, tokens and sign-ins."""
    _mark_leaving(runtime, runner_id, RemovalKind.DELETE)
    _revoke_access(runtime, runner_id)
    with runtime.db.transaction() as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return
        _enqueue_receipt(runtime, session, runner, kind=MailKind.DELETED)
        counters.increment(session, "runner deleted", at=runtime.db.now(session))
        if runner.athlete_id is not None:
            session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
        session.execute(delete(Runner).where(Runner.id == runner_id))
    runtime.db.truncate_wal()
    log.info("runner deleted", runner_id=runner_id)


def process_removals(runtime: Runtime) -> None:
    """Delete what can be undone no more, and finish what a dying process began."""
    for runner_id, leaving_for in claim_until_idle(
        runtime.queue, Job.REMOVALS, partial(_claim_removal, runtime)
    ):
        remove = delete_runner if leaving_for == RemovalKind.DELETE else disconnect
        remove(runtime, runner_id)


def _claim_removal(runtime: Runtime) -> tuple[int, str | None] | None:
    """Make this process the only one that says the next goodbye."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        first_id = (
            select(Runner.id)
            .where(_is_due(now))
            .order_by(Runner.id)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        row = session.execute(
            update(Runner)
            .where(Runner.id == first_id, _is_due(now))
            .values(
                leaving_for=case(
                    (Runner.leaving_since.is_(None), RemovalKind.DELETE),
                    else_=Runner.leaving_for,
                ),
                leaving_since=now,
            )
            .returning(Runner.id, Runner.leaving_for)
            .execution_options(synchronize_session=False)
        ).first()
    return (row.id, row.leaving_for) if row else None


def _is_due(now: datetime) -> ColumnElement[bool]:
    is_abandoned = Runner.leaving_since <= now - account_state.DELETION_GRACE
    is_undo_over = and_(Runner.leaving_since.is_(None), Runner.erase_at <= now)
    return or_(is_abandoned, is_undo_over)


def disconnect_if_revoked(runtime: Runtime, runner_id: int) -> None:
    """Believe a deauthorisation only when Strava refuses to refresh the tokens.

    Events are not signed for certain, and a forged one must delete nothing.
    """
    try:
        with runtime.db.read_only() as session:
            connection = session.get(Connection, runner_id)
            refused = (
                runtime.sealer.open(connection.access_token) if connection else None
            )
        get_access_token(runtime, runner_id, refused=refused)
    except AccessRevoked:
        with runtime.db.transaction() as session:
            _remove_strava_data(runtime, session, runner_id)
        log.info("runner revoked access", runner_id=runner_id)


def _mark_leaving(runtime: Runtime, runner_id: int, leaving_for: RemovalKind) -> None:
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


def _revoke_access(runtime: Runtime, runner_id: int) -> None:
    token = _load_token(runtime, runner_id)
    if token is None:
        return
    try:
        runtime.strava.revoke(token)
    except MoodmilesError as error:
        log.warning(
            "access not given back", runner_id=runner_id, error=type(error).__name__
        )


def _load_token(runtime: Runtime, runner_id: int) -> str | None:
    """Return any token that Strava would recognise: one revokes both."""
    with runtime.db.read_only() as session:
        sealed = session.scalar(
            select(Connection.refresh_token).where(Connection.runner_id == runner_id)
        )
    try:
        return runtime.sealer.open(sealed) if sealed else None
    except KeyLost:
        return None


def _remove_strava_data(runtime: Runtime, session: Session, runner_id: int) -> None:
    runner = session.get(Runner, runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    _cancel_unsent(session, runner_id, now=now)
    if runner.athlete_id is not None:
        session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
    strava_runs = [Run.runner_id == runner_id, Run.source == retained_runs.STRAVA]
    run_ids = select(Run.id).where(*strava_runs)
    retained_runs.insert_retained(session, runtime.sealer, run_ids, now=now)
    session.execute(delete(Run).where(*strava_runs))
    for table in (
        Export,
        QuarantinedRecord,
        Backfill,
        ReconcileState,
        FigureDecision,
        Connection,
    ):
        session.execute(delete(table).where(table.runner_id == runner_id))
    runner.athlete_id = None
    runner.leaving_for, runner.leaving_since = None, None
    for kind in (ConsentKind.STRAVA, ConsentKind.PRIVATE):
        store.withdraw_consent(session, runner_id, kind, at=now)
    store.bump_data_version(session, runner_id)
    _enqueue_receipt(runtime, session, runner, kind=MailKind.DISCONNECTED)


def _cancel_unsent(session: Session, runner_id: int, *, now: datetime) -> None:
    """Cancel open surveys, their mails, looks back, and the invitation to reconnect."""
    session.execute(
        update(Survey)
        .where(Survey.runner_id == runner_id, Survey.expires_at > now)
        .values(cancelled_for=CancellationReason.DISCONNECTED)
    )
    outbox.cancel_runner_surveys(session, runner_id, SuppressionReason.DISCONNECTED)
    outbox.cancel_runner_digests(session, runner_id, SuppressionReason.DISCONNECTED)
    session.execute(
        update(Mail)
        .where(Mail.runner_id == runner_id, Mail.kind == MailKind.RECONNECT)
        .where(Mail.due_at.is_not(None))
        .values(due_at=None, withheld_for=SuppressionReason.DISCONNECTED, sealed=None)
    )


def _enqueue_receipt(
    runtime: Runtime, session: Session, runner: Runner, *, kind: MailKind
) -> None:
    """Promise written confirmation; a deleted runner's goes out without a row."""
    address = _receipt_address(runtime, runner)
    if address is None:
        return
    now = runtime.db.now(session)
    outbox.enqueue_mail(
        session,
        sealer=runtime.sealer,
        now=now,
        dedupe_key=f"{kind}:{runner.id}:{now:%Y%m%d%H%M%S%f}",
        kind=kind,
        # The receipt must outlive the runner it is for.
        runner_id=None if kind == MailKind.DELETED else runner.id,
        values={},
        to=address,
        language=runner.preferences.language,
        stale_at=now + timedelta(days=7),
    )


def _receipt_address(runtime: Runtime, runner: Runner) -> str | None:
    """Return where a receipt goes; one that cannot be read stops no goodbye."""
    if runner.email is None or runner.email_confirmed_at is None:
        return None
    try:
        return runtime.sealer.open(runner.email)
    except KeyLost:
        log.warning("no receipt: its address cannot be read", runner_id=runner.id)
        return None
