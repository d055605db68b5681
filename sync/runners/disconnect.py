"""Leaving: Strava's data goes, the runner's own answers stay, or all goes.

What a runner asks for is written down before anything is undone, so whoever comes
next finishes what a dying process began.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session
from typing_extensions import override

from sync import account_state, counters, work
from sync.conflicts import retry_conflicts
from sync.errors import MoodmilesError
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
    RunnerWork,
    Survey,
)
from sync.queue import Job
from sync.runners import mail_links, retained_runs, store
from sync.runtime import Runtime
from sync.vocabulary import (
    CancellationReason,
    ConsentKind,
    MailKind,
    RemovalKind,
    SealedColumn,
    SuppressionReason,
)
from sync.work import RunnerDueWork, RunnerRange, RunnerTask

log = structlog.get_logger()

_RECEIPT_LIFETIME = timedelta(days=7)


def disconnect(runtime: Runtime, runner_id: int) -> None:
    """Give our access back to Strava and remove everything that came from it."""
    _mark_leaving(runtime, runner_id, RemovalKind.DISCONNECT)
    _revoke_access(runtime, runner_id)
    if not _finish_disconnect(runtime, runner_id):
        log.info("disconnection called off", runner_id=runner_id)
        return
    log.info("runner disconnected", runner_id=runner_id)


def delete_runner(runtime: Runtime, runner_id: int) -> None:
    """Erase the runner: runs, answers, mails, address, tokens and sign-ins."""
    _mark_leaving(runtime, runner_id, RemovalKind.DELETE)
    _revoke_access(runtime, runner_id)
    if not _finish_deletion(runtime, runner_id):
        return
    runtime.db.truncate_wal()
    log.info("runner deleted", runner_id=runner_id)


@retry_conflicts
def _finish_disconnect(runtime: Runtime, runner_id: int) -> bool:
    """Remove what came from Strava; False if it was called off meanwhile."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get(Runner, runner_id)
        if runner is None or runner.leaving_for != RemovalKind.DISCONNECT:
            return False  # done by another, and the runner may have linked anew
        remove_strava_data(runtime, session, runner_id)
        counters.increment(session, "runner disconnected", at=runtime.db.now(session))
        return True


@retry_conflicts
def _finish_deletion(runtime: Runtime, runner_id: int) -> bool:
    """Delete the runner and send a receipt; False if they are gone already."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get(Runner, runner_id)
        if runner is None:
            return False
        _enqueue_receipt(runtime, session, runner, kind=MailKind.DELETED)
        counters.increment(session, "runner deleted", at=runtime.db.now(session))
        if runner.athlete_id is not None:
            session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
        session.execute(delete(Runner).where(Runner.id == runner_id))
    return True


class RemovalWork(RunnerDueWork[None]):
    """Removals that can be undone no more, and those that a dying process began."""

    job = Job.REMOVALS
    lease = account_state.DELETION_GRACE

    @override
    def find_due(
        self, session: Session, *, now: datetime, runners: RunnerRange
    ) -> list[RunnerTask[None]]:
        is_abandoned = Runner.leaving_since <= now - account_state.DELETION_GRACE
        is_undo_over = and_(Runner.leaving_since.is_(None), Runner.erase_at <= now)
        runner_ids = session.scalars(
            select(Runner.id)
            .where(or_(is_abandoned, is_undo_over), runners.includes(Runner.id))
            .order_by(Runner.id)
        )
        return [RunnerTask(runner_id, None) for runner_id in runner_ids]

    @override
    def handle(self, runtime: Runtime, item: RunnerTask[None]) -> None:
        match _begin_removal(runtime, item.runner_id):
            case RemovalKind.DISCONNECT:
                disconnect(runtime, item.runner_id)
            case RemovalKind.DELETE:
                delete_runner(runtime, item.runner_id)
            case None:
                return


@retry_conflicts
def _begin_removal(runtime: Runtime, runner_id: int) -> RemovalKind | None:
    """Return what is to be removed, from here on beyond undoing; None if nothing is.

    It was due when somebody looked, and may have been undone meanwhile.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        runner = session.get(Runner, runner_id)
        if runner is None:
            return None
        if runner.leaving_since is None:
            if runner.erase_at is None or runner.erase_at > now:
                work.forget_failure(session, Job.REMOVALS, runner_id)
                return None
            runner.leaving_for, runner.leaving_since = RemovalKind.DELETE, now
        return RemovalKind(runner.leaving_for or RemovalKind.DELETE)


def process_removals(runtime: Runtime) -> None:
    """Remove what is due, until nothing is or the shift ends."""
    work.process_due(runtime, RemovalWork())


@retry_conflicts
def _mark_leaving(runtime: Runtime, runner_id: int, leaving_for: RemovalKind) -> None:
    """Store what the runner wants before anything is undone.

    From here on no worker uses the tokens, which Strava will soon refuse.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
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
    """Revoke our access with the refresh token, which revokes both."""
    with runtime.db.read_only() as session:
        sealed = session.scalar(
            select(Connection.refresh_token).where(Connection.runner_id == runner_id)
        )
    if sealed is not None:
        revoke_token(runtime, runner_id, sealed)


def revoke_token(runtime: Runtime, runner_id: int, sealed: bytes) -> None:
    """Give back the access that this sealed refresh token stands for, if we can."""
    try:
        runtime.strava.revoke(runtime.sealer.open(sealed, SealedColumn.STRAVA_REFRESH))
    except MoodmilesError as error:
        log.warning(
            "access not given back", runner_id=runner_id, error=type(error).__name__
        )


def remove_strava_data(runtime: Runtime, session: Session, runner_id: int) -> None:
    """Delete all that came from Strava; answers and retained runs stay."""
    runner = session.get(Runner, runner_id)
    if runner is None:
        return
    now = runtime.db.now(session)
    # First, as who claims this runner's work locks the link before that work's rows.
    session.execute(delete(Connection).where(Connection.runner_id == runner_id))
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
    if runner.athlete_id is not None:
        session.execute(delete(Event).where(Event.athlete_id == runner.athlete_id))
    strava_runs = [Run.runner_id == runner_id, Run.source == retained_runs.STRAVA]
    run_ids = select(Run.id).where(*strava_runs)
    retained_runs.insert_retained(session, runtime.sealer, runner_id, run_ids, now=now)
    session.execute(delete(Run).where(*strava_runs))
    for table in (
        Export,
        QuarantinedRecord,
        Backfill,
        ReconcileState,
        RunnerWork,
        FigureDecision,
    ):
        session.execute(delete(table).where(table.runner_id == runner_id))
    runner.athlete_id, runner.claimed_athlete_id = None, None
    runner.leaving_for, runner.leaving_since = None, None
    for kind in (ConsentKind.STRAVA, ConsentKind.PRIVATE):
        store.withdraw_consent(session, runner_id, kind, at=now)
    store.bump_data_version(session, runner_id)
    _enqueue_receipt(runtime, session, runner, kind=MailKind.DISCONNECTED)


def _enqueue_receipt(
    runtime: Runtime, session: Session, runner: Runner, *, kind: MailKind
) -> None:
    """Enqueue a confirmation to every address of the last seven days.

    One that cannot be read stops no removal.
    """
    now = runtime.db.now(session)
    addresses = mail_links.list_recent_addresses(
        session, runtime.sealer, runner, now=now
    )
    for number, address in enumerate(addresses):
        outbox.enqueue_mail(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=f"{kind}:{runner.id}:{now:%Y%m%d%H%M%S%f}:{number}",
            kind=kind,
            # The receipt must outlive the runner it is for.
            runner_id=None if kind == MailKind.DELETED else runner.id,
            values={},
            to=address,
            language=runner.preferences.language,
            stale_at=now + _RECEIPT_LIFETIME,
        )
