"""A runner's export: asked for, packed by a worker, fetched, and forgotten again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, defer
from typing_extensions import override

from sync import work
from sync.backoff import LEASE
from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost, hash_token
from sync.database import count_up, wake_after_commit
from sync.mail import outbox
from sync.models import Export, Runner
from sync.portability.pack import STEPS, pack_export
from sync.queue import Job
from sync.runtime import Runtime
from sync.vocabulary import MailKind, SealedColumn
from sync.work import DueWork, Failure, Retry

log = structlog.get_logger()

RETENTION = timedelta(days=7)
# Under a strict limit a copy of Strava's data must not outlive it by much.
SHORT_RETENTION = timedelta(days=1)


class ExportState(StrEnum):
    NONE = auto()
    PACKING = auto()
    READY = auto()
    FAILED = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """How far a runner's export is; ready until `expires_at`.

    `size_bytes` is what the file does not exceed.
    """

    state: ExportState = ExportState.NONE
    done: int = 0
    steps: int = STEPS
    expires_at: datetime | None = None
    size_bytes: int | None = None


class _LeaseLost(Exception):
    """Somebody else packs this export now, or nobody wants it any more."""


@retry_conflicts
def request_export(
    runtime: Runtime, runner_id: int, *, sign_in_token: str | None = None
) -> None:
    """Have everything packed anew, unless it is being packed just now.

    It is dropped if the sign-in that asked for it is ended as somebody else's.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        newest = _load_newest(session, runner_id)
        if newest is not None and newest.due_at is not None:
            return
        now = runtime.db.now(session)
        delete_export(session, runner_id)
        work.forget_failure(session, Job.EXPORT, runner_id)
        session.add(
            Export(
                runner_id=runner_id,
                asked_at=now,
                due_at=now,
                tables=STEPS,
                sign_in_hash=hash_token(sign_in_token) if sign_in_token else None,
            )
        )
        wake_after_commit(session, Job.EXPORT)
    log.info("export asked for", runner_id=runner_id)


def load_status(runtime: Runtime, runner_id: int) -> ExportStatus:
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        newest = _load_newest(session, runner_id)
        if newest is None:
            return ExportStatus()
        if newest.due_at is not None:
            state = ExportState.PACKING
        elif newest.expires_at is None:
            state = ExportState.FAILED
        else:
            is_ready = newest.expires_at > now
            state = ExportState.READY if is_ready else ExportState.OVER
        return ExportStatus(
            state=state,
            done=newest.tables_done,
            steps=newest.tables,
            expires_at=newest.expires_at,
            size_bytes=newest.size_bytes,
        )


def load_export(runtime: Runtime, runner_id: int) -> bytes | None:
    """Return the runner's ZIP, or None while there is none or no more."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        row = session.execute(
            select(Export.sealed, Runner.vault_key)
            .join(Runner, Runner.id == Export.runner_id)
            .where(Export.runner_id == runner_id, Export.expires_at > now)
            .where(Export.sealed.is_not(None))
        ).first()
    if row is None:
        return None
    log.info("export fetched", runner_id=runner_id)
    return runtime.sealer.open_vault(row.vault_key).open_bytes(
        row.sealed, SealedColumn.EXPORT
    )


def delete_export(session: Session, runner_id: int) -> None:
    """Drop the runner's export, also one that is being packed."""
    session.execute(delete(Export).where(Export.runner_id == runner_id))


@retry_conflicts
def purge_expired(runtime: Runtime) -> None:
    """Forget the files that are over; that there was one is remembered."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        session.execute(
            update(Export)
            .where(Export.expires_at <= now, Export.sealed.is_not(None))
            .values(sealed=None)
        )


@dataclass(frozen=True, slots=True)
class ClaimedExport:
    """An export whose packing is leased, and the attempt's number."""

    id: int
    runner_id: int
    attempts: int


class ExportWork(DueWork[ClaimedExport]):
    """Requested exports; one whose worker died is packed anew."""

    job = Job.EXPORT
    max_attempts = 3

    @override
    def claim(self, runtime: Runtime) -> Iterator[ClaimedExport]:
        while True:
            with runtime.db.transaction() as session:
                now = runtime.db.now(session)
                next_id = session.scalar(
                    select(Export.id)
                    .where(Export.due_at <= now)
                    .order_by(Export.due_at, Export.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                if next_id is None:
                    return
                row = session.execute(
                    update(Export)
                    .where(Export.id == next_id)
                    .values(
                        attempts=count_up(Export.attempts),
                        tables_done=0,
                        due_at=now + LEASE,
                    )
                    .returning(Export.id, Export.runner_id, Export.attempts)
                    .execution_options(synchronize_session=False)
                ).one()
            yield ClaimedExport(row.id, row.runner_id, row.attempts)

    @override
    def handle(self, runtime: Runtime, item: ClaimedExport) -> None:
        try:
            zip_bytes = pack_export(
                runtime,
                item.runner_id,
                after_step=lambda done: _save_progress(runtime, item, done),
            )
            _save_export(runtime, item, zip_bytes)
        except _LeaseLost:
            log.info("export overtaken", export_id=item.id)
        else:
            log.info("export packed", runner_id=item.runner_id, export_id=item.id)

    @override
    def postpone(
        self, session: Session, item: ClaimedExport, failure: Failure
    ) -> Retry:
        is_given_up = item.attempts >= self.max_attempts
        # With a lost key the next attempt would fail as well.
        is_given_up |= isinstance(failure.error, KeyLost)
        due_at = None if is_given_up else failure.next_attempt_at(item.attempts)
        try:
            _update_claimed(session, item, due_at=due_at)
        except _LeaseLost:
            return Retry(None)
        if is_given_up:
            # Nobody tries it by itself: the runner is told that it failed.
            work.set_aside(
                session,
                self.job,
                item.runner_id,
                reason=failure.reason,
                due_at=failure.at,
            )
        return Retry(due_at, is_given_up)

    @override
    def attempts(self, item: ClaimedExport) -> int:
        return item.attempts

    @override
    def log_ids(self, item: ClaimedExport) -> Mapping[str, object]:
        return {"export_id": item.id}


def process_due(runtime: Runtime) -> None:
    """Pack whatever is due, until nothing is or the shift ends."""
    work.process_due(runtime, ExportWork())


@retry_conflicts
def _save_export(runtime: Runtime, claimed: ClaimedExport, zip_bytes: bytes) -> None:
    """Keep the file for its runner, and tell them by mail that it is there."""
    with runtime.db.transaction(runner_id=claimed.runner_id) as session:
        now = runtime.db.now(session)
        runner = session.get(Runner, claimed.runner_id)
        if runner is None:
            raise _LeaseLost
        is_limited = runtime.settings.strava_retention_days is not None
        expires_at = now + (SHORT_RETENTION if is_limited else RETENTION)
        vault = runtime.sealer.open_vault(runner.vault_key)
        sealed = vault.seal_bytes(zip_bytes, SealedColumn.EXPORT)
        _update_claimed(
            session,
            claimed,
            sealed=sealed,
            # The ZIP's own size would say how varied the answers in it are.
            size_bytes=len(sealed),
            ready_at=now,
            expires_at=expires_at,
            due_at=None,
        )
        work.forget_failure(session, Job.EXPORT, runner.id)
        if runner.email is not None and runner.email_confirmed_at is not None:
            outbox.enqueue_mail(
                session,
                sealer=runtime.sealer,
                now=now,
                dedupe_key=f"export:{claimed.id}:{now:%Y%m%d%H%M%S%f}",
                kind=MailKind.EXPORT_READY,
                runner_id=runner.id,
                values={"expires_at": expires_at, "zone": runner.zone},
                stale_at=expires_at,
            )


@retry_conflicts
def _save_progress(runtime: Runtime, claimed: ClaimedExport, done: int) -> None:
    """Show how far the packing is, and renew the lease."""
    with runtime.db.transaction() as session:
        until = runtime.db.now(session) + LEASE
        _update_claimed(session, claimed, tables_done=done, due_at=until)


def _update_claimed(session: Session, claimed: ClaimedExport, **values: object) -> None:
    """Change the row if it is still ours, or raise `_LeaseLost`."""
    updated_id = session.scalar(
        update(Export)
        .where(Export.runner_id == claimed.runner_id, Export.id == claimed.id)
        .where(Export.attempts == claimed.attempts, Export.due_at.is_not(None))
        .values(**values)
        .returning(Export.id)
        .execution_options(synchronize_session=False)
    )
    if updated_id is None:
        raise _LeaseLost


def _load_newest(session: Session, runner_id: int) -> Export | None:
    return session.scalars(
        select(Export)
        .where(Export.runner_id == runner_id)
        .order_by(Export.id.desc())
        .limit(1)
        .options(defer(Export.sealed, raiseload=True))
    ).first()
