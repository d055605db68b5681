"""A runner's export: asked for, packed by a worker, fetched, and forgotten again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from functools import partial

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, defer

from sync import counters
from sync.crypto import KeyLost
from sync.database import wake_after_commit
from sync.mail import outbox
from sync.models import Export, Runner
from sync.portability.pack import STEPS, pack
from sync.queue import Work, shift
from sync.runtime import Runtime

log = structlog.get_logger()

# Renewed at each step, and longer than the longest of them.
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=7)
# Under a strict limit a copy of Strava's data must not outlive it by much.
KEPT_FOR_UNDER_A_LIMIT = timedelta(days=1)


class State(StrEnum):
    NONE = auto()
    PACKING = auto()
    READY = auto()
    FAILED = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Packing:
    """How far a runner's export is; ready until `expires_at`."""

    state: State = State.NONE
    done: int = 0
    steps: int = STEPS
    expires_at: datetime | None = None
    size_bytes: int | None = None


class _Overtaken(Exception):
    """Somebody else packs this export now, or nobody wants it any more."""


def ask(runtime: Runtime, runner_id: int) -> None:
    """Have everything packed anew, unless it is being packed just now."""
    with runtime.db.transaction() as session:
        # Two requests at once wait for each other here.
        session.execute(
            select(Runner.id).where(Runner.id == runner_id).with_for_update()
        )
        newest = _newest(session, runner_id)
        if newest is not None and newest.due_at is not None:
            return
        now = runtime.db.now(session)
        forget(session, runner_id)
        session.add(Export(runner_id=runner_id, asked_at=now, due_at=now, tables=STEPS))
        wake_after_commit(session, Work.EXPORT)
    log.info("export asked for", runner_id=runner_id)


def look(runtime: Runtime, runner_id: int) -> Packing:
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        newest = _newest(session, runner_id)
        if newest is None:
            return Packing()
        return Packing(
            state=_state(newest, now=now),
            done=newest.tables_done,
            steps=newest.tables,
            expires_at=newest.expires_at,
            size_bytes=newest.size_bytes,
        )


def fetch(runtime: Runtime, runner_id: int) -> bytes | None:
    """Return the runner's ZIP, or None while there is none or no more."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        found = session.execute(
            select(Export.sealed, Runner.vault_key)
            .join(Runner, Runner.id == Export.runner_id)
            .where(Export.runner_id == runner_id, Export.expires_at > now)
            .where(Export.sealed.is_not(None))
        ).first()
    if found is None:
        return None
    return runtime.sealer.vault(found.vault_key).open_file(found.sealed)


def forget(session: Session, runner_id: int) -> None:
    """Drop the runner's export, also one that is being packed."""
    session.execute(delete(Export).where(Export.runner_id == runner_id))


def tidy(runtime: Runtime) -> None:
    """Forget the files that are over; that there was one is remembered."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        session.execute(
            update(Export)
            .where(Export.expires_at <= now, Export.sealed.is_not(None))
            .values(sealed=None)
        )


def drain(runtime: Runtime) -> None:
    """Pack whatever is due; one that killed its worker is begun again."""
    for held in shift(runtime.queue, Work.EXPORT, partial(_claim, runtime)):
        try:
            _pack(runtime, held)
        except _Overtaken:
            log.info("export overtaken", export_id=held.id)
        except KeyLost as error:
            _give_up(runtime, held, type(error).__name__)
        except Exception:
            # The others need not wait for what is wrong with this one, which
            # comes back when its lease ends.
            log.exception("export failed", export_id=held.id)


def _claim(runtime: Runtime) -> Export | None:
    """Take the export that has waited longest for ourselves."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        due = session.scalars(
            select(Export)
            .where(Export.due_at <= now)
            .order_by(Export.due_at, Export.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if due is None:
            return None
        due.attempts += 1
        due.tables_done = 0
        due.due_at = now + LEASE
        session.flush()
    if due.attempts <= MOST_ATTEMPTS:
        return due
    _give_up(runtime, due, "too many attempts")
    return _claim(runtime)


def _pack(runtime: Runtime, held: Export) -> None:
    packed = pack(
        runtime, held.runner_id, after_step=lambda done: _advance(runtime, held, done)
    )
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner = session.get(Runner, held.runner_id)
        if runner is None:
            raise _Overtaken
        expires_at = now + _kept_for(runtime)
        vault = runtime.sealer.vault(runner.vault_key)
        _write(
            session,
            held,
            sealed=vault.seal_file(packed),
            size_bytes=len(packed),
            ready_at=now,
            expires_at=expires_at,
            due_at=None,
        )
        if runner.email is not None and runner.email_confirmed_at is not None:
            outbox.promise(
                session,
                sealer=runtime.sealer,
                now=now,
                dedupe_key=f"export:{held.id}:{now:%Y%m%d%H%M%S%f}",
                kind="export_ready",
                runner_id=runner.id,
                values={"expires_at": expires_at, "zone": runner.zone},
                stale_at=expires_at,
            )
    log.info("export packed", runner_id=held.runner_id, export_id=held.id)


def _advance(runtime: Runtime, held: Export, done: int) -> None:
    with runtime.db.transaction() as session:
        until = runtime.db.now(session) + LEASE
        _write(session, held, tables_done=done, due_at=until)


def _give_up(runtime: Runtime, held: Export, reason: str) -> None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        session.execute(update(Export).where(Export.id == held.id).values(due_at=None))
        counters.count(session, "export given up", at=now)
    log.error("export given up", export_id=held.id, reason=reason)


def _write(session: Session, held: Export, **values: object) -> None:
    """Change the row if it is still ours, or raise `_Overtaken`."""
    ours = session.scalar(
        update(Export)
        .where(Export.id == held.id, Export.attempts == held.attempts)
        .where(Export.due_at.is_not(None))
        .values(**values)
        .returning(Export.id)
        .execution_options(synchronize_session=False)
    )
    if ours is None:
        raise _Overtaken


def _kept_for(runtime: Runtime) -> timedelta:
    limited = runtime.settings.strava_retention_days is not None
    return KEPT_FOR_UNDER_A_LIMIT if limited else KEPT_FOR


def _newest(session: Session, runner_id: int) -> Export | None:
    return session.scalars(
        select(Export)
        .where(Export.runner_id == runner_id)
        .order_by(Export.id.desc())
        .limit(1)
        .options(defer(Export.sealed, raiseload=True))
    ).first()


def _state(export: Export, *, now: datetime) -> State:
    if export.due_at is not None:
        return State.PACKING
    if export.expires_at is None:
        return State.FAILED
    return State.READY if export.expires_at > now else State.OVER
