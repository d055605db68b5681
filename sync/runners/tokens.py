"""A runner's access token, refreshed by one process at a time.

Strava rotates refresh tokens and kills the old one at once, so two processes
that refresh together would lose the pair.  A compare-and-set lease on the row
decides who refreshes; nobody holds a lock while Strava answers; whoever comes
second looks again a moment later and finds the new pair.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.orm import Session

from sync.errors import AccessRevoked, TryLater
from sync.mail import outbox
from sync.models import Connection
from sync.runtime import Runtime
from sync.strava import Tokens
from sync.vocabulary import MailKind

log = structlog.get_logger()

LEASE = timedelta(seconds=40)  # longer than the longest refresh (5 s + 20 s)
MIN_VALIDITY = timedelta(minutes=10)
RETRY_AFTER = timedelta(seconds=2)


def get_access_token(
    runtime: Runtime, runner_id: int, *, refused: str | None = None
) -> str:
    """Return a token that should work; `refused` is one that Strava rejected.

    Raises `AccessRevoked` when the link is broken, `TryLater` while another
    process refreshes, or what `Strava.refresh` raises.
    """
    with runtime.db.read_only() as session:
        usable = _usable_token(
            runtime, _load_connection(session, runner_id), session, refused=refused
        )
    claimed = usable or _acquire(runtime, runner_id, refused=refused)
    if isinstance(claimed, str):
        return claimed
    try:
        fresh = runtime.strava.refresh(claimed.refresh)
    except AccessRevoked:
        _mark_broken(runtime, runner_id, tried=claimed.refresh)
        raise
    except Exception:
        _release_lease(runtime, runner_id)
        raise
    _save_tokens(runtime, runner_id, fresh)
    return fresh.access


def _acquire(runtime: Runtime, runner_id: int, *, refused: str | None) -> Tokens | str:
    """Return a good access token, or the pair that is ours alone to refresh."""
    with runtime.db.transaction() as session:
        connection = _load_connection(session, runner_id)
        usable = _usable_token(runtime, connection, session, refused=refused)
        if usable is not None:
            return usable
        if not _acquire_lease(session, connection, now=runtime.db.now(session)):
            raise TryLater("another process is refreshing this token", RETRY_AFTER)
        return Tokens(
            runtime.sealer.open(connection.access_token),
            runtime.sealer.open(connection.refresh_token),
            connection.expires_at,
        )


def _load_connection(session: Session, runner_id: int) -> Connection:
    connection = session.get(Connection, runner_id)
    if connection is None or connection.broken_at is not None:
        raise AccessRevoked("This runner's link to Strava is broken.")
    return connection


def _usable_token(
    runtime: Runtime, connection: Connection, session: Session, *, refused: str | None
) -> str | None:
    """Return the access token if it should work for a while."""
    access = runtime.sealer.open(connection.access_token)
    is_fresh = connection.expires_at - runtime.db.now(session) > MIN_VALIDITY
    return access if is_fresh and access != refused else None


def _acquire_lease(session: Session, connection: Connection, *, now: datetime) -> bool:
    acquired_id = session.scalar(
        update(Connection)
        .where(
            Connection.runner_id == connection.runner_id,
            Connection.refresh_token == connection.refresh_token,
            (Connection.lease_until.is_(None)) | (Connection.lease_until <= now),
        )
        .values(lease_until=now + LEASE)
        .returning(Connection.runner_id)
    )
    return acquired_id is not None


def _save_tokens(runtime: Runtime, runner_id: int, fresh: Tokens) -> None:
    """Store both halves together, before anybody uses either."""
    with runtime.db.transaction() as session:
        session.execute(
            update(Connection)
            .where(Connection.runner_id == runner_id)
            .values(
                access_token=runtime.sealer.seal(fresh.access),
                refresh_token=runtime.sealer.seal(fresh.refresh),
                expires_at=fresh.expires_at,
                lease_until=None,
            )
        )
    log.info("token refreshed", runner_id=runner_id)


def _release_lease(runtime: Runtime, runner_id: int) -> None:
    with runtime.db.transaction() as session:
        session.execute(
            update(Connection)
            .where(Connection.runner_id == runner_id)
            .values(lease_until=None)
        )


def _mark_broken(runtime: Runtime, runner_id: int, *, tried: str) -> None:
    """Stop asking, and invite the runner once to reconnect.

    A lost race looks exactly like a revocation, so the row is read again: if
    the pair has changed since we tried, the link is fine.
    """
    with runtime.db.transaction() as session:
        connection = session.get(Connection, runner_id)
        if connection is None:
            return
        if runtime.sealer.open(connection.refresh_token) != tried:
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
