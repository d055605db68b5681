"""The browsers that a runner is signed in with: listed, and ended at will."""

import hmac
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, select, true
from sqlalchemy.orm import Session

from sync.crypto import token_hash
from sync.models import SignIn
from sync.runners.rules import SIGN_IN_IDLE
from sync.runtime import Runtime

log = structlog.get_logger()

_PURPOSE = "signed-in browser"


@dataclass(frozen=True, slots=True)
class SignedInBrowser:
    """One browser as its runner sees it.

    `handle` names it in a form; what we keep of its cookie stays with us.
    """

    handle: str
    name: str
    since: datetime
    seen_at: datetime
    is_this: bool


def listed(runtime: Runtime, runner_id: int, *, token: str) -> list[SignedInBrowser]:
    """Return the signed-in browsers, this one first, then the latest seen."""
    here = token_hash(token)
    with runtime.db.reading() as session:
        found = [
            SignedInBrowser(
                handle=_handles(runtime, row)[0],
                name=row.browser or "",
                since=row.created_at,
                seen_at=row.seen_at,
                is_this=hmac.compare_digest(row.token_hash, here),
            )
            for row in _rows(runtime, session, runner_id)
        ]
    return sorted(found, key=lambda one: (one.is_this, one.seen_at), reverse=True)


def end(runtime: Runtime, runner_id: int, handle: str) -> bool:
    """Sign one of the runner's browsers out; False if there is none such."""
    with runtime.db.transaction() as session:
        for row in _rows(runtime, session, runner_id):
            known = _handles(runtime, row)
            if any(hmac.compare_digest(handle.encode(), k.encode()) for k in known):
                session.delete(row)
                log.info("browser signed out", runner_id=runner_id)
                return True
    return False


def end_others(runtime: Runtime, runner_id: int, *, token: str) -> None:
    """Sign every browser of the runner out but the one with this token."""
    with runtime.db.transaction() as session:
        session.execute(
            delete(SignIn).where(
                SignIn.runner_id == runner_id, SignIn.token_hash != token_hash(token)
            )
        )
    log.info("other browsers signed out", runner_id=runner_id)


def end_all(runtime: Runtime, runner_id: int | None = None) -> int:
    """Sign every browser of one runner out, or of all; return how many there were."""
    whose = SignIn.runner_id == runner_id if runner_id is not None else true()
    with runtime.db.transaction() as session:
        ended = session.scalars(
            delete(SignIn).where(whose).returning(SignIn.token_hash)
        ).all()
    log.info("browsers signed out", runner_id=runner_id, browsers=len(ended))
    return len(ended)


def _rows(runtime: Runtime, session: Session, runner_id: int) -> list[SignIn]:
    now = runtime.db.now(session)
    return list(
        session.scalars(
            select(SignIn).where(
                SignIn.runner_id == runner_id,
                SignIn.expires_at > now,
                SignIn.seen_at > now - SIGN_IN_IDLE,
            )
        )
    )


def _handles(runtime: Runtime, row: SignIn) -> list[str]:
    """Name a browser with each secret key, the newest first."""
    return runtime.sealer.signatures(_PURPOSE, row.token_hash)
