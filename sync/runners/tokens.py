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

log = structlog.get_logger()

LEASE = timedelta(seconds=40)  # longer than the longest refresh (5 s + 20 s)
LEEWAY = timedelta(minutes=10)
LOOK_AGAIN = timedelta(seconds=2)


def access_token(
    runtime: Runtime, runner_id: int, *, refused: str | None = None
) -> str:
    """Return a token that should work; `refused` is one that Strava rejected.

    Raises `AccessRevoked` when the link is broken, `TryLater` while another
    process refreshes, or what `Strava.refresh` raises.
    """
    with runtime.db.reading() as session:
        good = _good(runtime, _linked(session, runner_id), session, refused=refused)
    held = good or _hold(runtime, runner_id, refused=refused)
    if isinstance(held, str):
        return held
    try:
        fresh = runtime.strava.refresh(held.refresh)
    except AccessRevoked:
        _mark_broken(runtime, runner_id, tried=held.refresh)
        raise
    except Exception:
        _let_go(runtime, runner_id)
        raise
    _keep(runtime, runner_id, fresh)
    return fresh.access


def _hold(runtime: Runtime, runner_id: int, *, refused: str | None) -> Tokens | str:
    """Return a good access token, or the pair that is ours alone to refresh."""
    with runtime.db.transaction() as session:
        connection = _linked(session, runner_id)
        good = _good(runtime, connection, session, refused=refused)
        if good is not None:
            return good
        if not _claim(session, connection, now=runtime.db.now(session)):
            raise TryLater("another process is refreshing this token", LOOK_AGAIN)
        return Tokens(
            runtime.sealer.open(connection.access_token),
            runtime.sealer.open(connection.refresh_token),
            connection.expires_at,
        )


def _linked(session: Session, runner_id: int) -> Connection:
    connection = session.get(Connection, runner_id)
    if connection is None or connection.broken_at is not None:
        raise AccessRevoked("This runner's link to Strava is broken.")
    return connection


def _good(
    runtime: Runtime, connection: Connection, session: Session, *, refused: str | None
) -> str | None:
    """Return the access token if it should work for a while."""
    access = runtime.sealer.open(connection.access_token)
    is_fresh = connection.expires_at - runtime.db.now(session) > LEEWAY
    return access if is_fresh and access != refused else None


def _claim(session: Session, connection: Connection, *, now: datetime) -> bool:
    claimed = session.scalar(
        update(Connection)
        .where(
            Connection.runner_id == connection.runner_id,
            Connection.refresh_token == connection.refresh_token,
            (Connection.lease_until.is_(None)) | (Connection.lease_until <= now),
        )
        .values(lease_until=now + LEASE)
        .returning(Connection.runner_id)
    )
    return claimed is not None


def _keep(runtime: Runtime, runner_id: int, fresh: Tokens) -> None:
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


def _let_go(runtime: Runtime, runner_id: int) -> None:
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
            raise TryLater("another process has refreshed this token", LOOK_AGAIN)
        now = runtime.db.now(session)
        connection.broken_at = now
        connection.lease_until = None
        outbox.promise(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=f"reconnect:{runner_id}:{connection.linked_at:%Y%m%d%H%M%S}",
            kind="reconnect",
            runner_id=runner_id,
            values={},
            stale_at=now + timedelta(days=3),
        )
    log.warning("link to Strava is broken", runner_id=runner_id)
