"""A runner's access token, refreshed by one process at a time.

Strava rotates refresh tokens and kills the old one at once, so two processes
that refresh together would lose the pair.  A compare-and-set lease on the row
decides who refreshes; no lock is held while Strava answers; the second process
tries again a moment later and finds the new pair.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.errors import AccessRevoked, TryLater
from sync.mail import outbox
from sync.models import Connection
from sync.runtime import Runtime
from sync.vocabulary import MailKind, SealedColumn

log = structlog.get_logger()

LEASE = timedelta(seconds=40)  # longer than the longest refresh (5 s + 20 s)
MIN_VALIDITY = timedelta(minutes=10)
RETRY_AFTER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _TokenPair:
    """A stored pair; `is_usable`: the access token should work for a while."""

    access: str
    sealed_refresh: bytes
    is_usable: bool


def get_access_token(
    runtime: Runtime, runner_id: int, *, refused: str | None = None
) -> str:
    """Return a token that should work; `refused` is one that Strava rejected.

    Raises `AccessRevoked` when the link is broken, `TryLater` while another
    process refreshes, or what `Strava.refresh` raises.
    """
    with runtime.db.read_only() as session:
        pair = _load_pair(runtime, session, runner_id, refused=refused)
    if pair.is_usable:
        return pair.access
    pair = _lease_pair(runtime, runner_id, refused=refused)
    if pair.is_usable:
        return pair.access
    refresh = runtime.sealer.open(pair.sealed_refresh, SealedColumn.STRAVA_REFRESH)
    try:
        fresh = runtime.strava.refresh(refresh)
    except AccessRevoked:
        _mark_broken(runtime, runner_id, tried=refresh)
        raise
    except Exception:
        _update_connection(runtime, runner_id, lease_until=None)
        raise
    # Both halves are stored together, before either is used.
    _update_connection(
        runtime,
        runner_id,
        access_token=runtime.sealer.seal(fresh.access, SealedColumn.STRAVA_ACCESS),
        refresh_token=runtime.sealer.seal(fresh.refresh, SealedColumn.STRAVA_REFRESH),
        expires_at=fresh.expires_at,
        lease_until=None,
    )
    log.info("token refreshed", runner_id=runner_id)
    return fresh.access


@retry_conflicts
def _lease_pair(runtime: Runtime, runner_id: int, *, refused: str | None) -> _TokenPair:
    """Return the pair: one that is usable after all, or one that is ours to refresh."""
    with runtime.db.transaction() as session:
        pair = _load_pair(runtime, session, runner_id, refused=refused)
        now = runtime.db.now(session)
        if not pair.is_usable and not acquire_lease(
            session, runner_id, pair.sealed_refresh, now=now
        ):
            raise TryLater("another process is refreshing this token", RETRY_AFTER)
    return pair


def _load_pair(
    runtime: Runtime, session: Session, runner_id: int, *, refused: str | None
) -> _TokenPair:
    connection = session.get(Connection, runner_id)
    if connection is None or connection.broken_at is not None:
        raise AccessRevoked("This runner's link to Strava is broken.")
    access = runtime.sealer.open(connection.access_token, SealedColumn.STRAVA_ACCESS)
    is_fresh = connection.expires_at - runtime.db.now(session) > MIN_VALIDITY
    return _TokenPair(
        access, connection.refresh_token, is_usable=is_fresh and access != refused
    )


def acquire_lease(
    session: Session, runner_id: int, sealed_refresh: bytes, *, now: datetime
) -> bool:
    """Make this process the only one that refreshes this very pair."""
    acquired_id = session.scalar(
        update(Connection)
        .where(
            Connection.runner_id == runner_id,
            Connection.refresh_token == sealed_refresh,
            (Connection.lease_until.is_(None)) | (Connection.lease_until <= now),
        )
        .values(lease_until=now + LEASE)
        .returning(Connection.runner_id)
    )
    return acquired_id is not None


@retry_conflicts
def _update_connection(runtime: Runtime, runner_id: int, **values: object) -> None:
    with runtime.db.transaction() as session:
        session.execute(
            update(Connection).where(Connection.runner_id == runner_id).values(**values)
        )


@retry_conflicts
def _mark_broken(runtime: Runtime, runner_id: int, *, tried: str) -> None:
    """Stop asking, and invite the runner once to reconnect.

    A lost race looks exactly like a revocation, so the row is read again: if
    the pair has changed since we tried, the link is fine.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        connection = session.get(Connection, runner_id)
        if connection is None:
            return
        stored_refresh = runtime.sealer.open(
            connection.refresh_token, SealedColumn.STRAVA_REFRESH
        )
        if stored_refresh != tried:
            raise TryLater("another process has refreshed this token", RETRY_AFTER)
        now = runtime.db.now(session)
        connection.broken_at = now
        connection.lease_until = None
        outbox.enqueue_mail(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=f"reconnect:{runner_id}:{connection.linked_at:%Y%m%d%H%M%S}",
            kind=MailKind.RECONNECT,
            runner_id=runner_id,
            values={},
            stale_at=now + timedelta(days=3),
        )
    log.warning("link to Strava is broken", runner_id=runner_id)
