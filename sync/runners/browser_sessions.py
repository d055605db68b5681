"""The browsers that a runner is signed in with: listed, and ended at will."""

import hmac
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, delete, select, true
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.crypto import hash_token
from sync.models import Export, Runner, SignIn
from sync.runners import mail_links
from sync.runners.rules import SIGN_IN_IDLE
from sync.runtime import Runtime
from sync.vocabulary import KeyUse, MailLinkPurpose

log = structlog.get_logger()


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


def list_browsers(
    runtime: Runtime, runner_id: int, *, token: str
) -> list[SignedInBrowser]:
    """Return the signed-in browsers, this one first, then the latest seen."""
    own_hash = hash_token(token)
    with runtime.db.read_only() as session:
        browsers = [
            SignedInBrowser(
                handle=_handles(runtime, row)[0],
                name=row.browser or "",
                since=row.created_at,
                seen_at=row.seen_at,
                is_this=hmac.compare_digest(row.token_hash, own_hash),
            )
            for row in _load_active(runtime, session, runner_id)
        ]
    return sorted(
        browsers, key=lambda browser: (browser.is_this, browser.seen_at), reverse=True
    )


@retry_conflicts
def sign_out_browser(runtime: Runtime, runner_id: int, handle: str) -> bool:
    """Sign one of the runner's browsers out; False if there is none such."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        for row in _load_active(runtime, session, runner_id):
            handles = _handles(runtime, row)
            if any(
                hmac.compare_digest(handle.encode(), candidate.encode())
                for candidate in handles
            ):
                end_sign_ins(session, runner_id, SignIn.token_hash == row.token_hash)
                log.info("browser signed out", runner_id=runner_id)
                return True
    return False


@retry_conflicts
def sign_out_others(runtime: Runtime, runner_id: int, *, token: str) -> None:
    """Sign every browser of the runner out but the one with this token."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        end_sign_ins(session, runner_id, SignIn.token_hash != hash_token(token))
    log.info("other browsers signed out", runner_id=runner_id)


@retry_conflicts
def sign_out_all(runtime: Runtime, runner_id: int | None = None) -> int:
    """Sign every browser of one runner out, or of all; return how many there were."""
    with runtime.db.transaction() as session:
        count = 0
        is_concerned = true() if runner_id is None else Runner.id == runner_id
        for id_ in session.scalars(select(Runner.id).where(is_concerned)).all():
            count += end_sign_ins(session, id_)
    log.info("browsers signed out", runner_id=runner_id, browsers=count)
    return count


def end_sign_ins(
    session: Session, runner_id: int, *conditions: ColumnElement[bool]
) -> int:
    """End a runner's sign-ins as those of somebody else; return how many there were.

    What they began goes with them: the tables delete their visits to Strava and their
    mailed links, and here go the exports that they asked for, and every waiting link
    that would sign in.
    """
    ended_hashes = session.scalars(
        delete(SignIn)
        .where(SignIn.runner_id == runner_id, *conditions)
        .returning(SignIn.token_hash)
    ).all()
    session.execute(
        delete(Export).where(
            Export.runner_id == runner_id, Export.sign_in_hash.in_(ended_hashes)
        )
    )
    mail_links.delete_open_links(session, runner_id, MailLinkPurpose.SIGN_IN)
    return len(ended_hashes)


def _load_active(runtime: Runtime, session: Session, runner_id: int) -> list[SignIn]:
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
    return runtime.sealer.signatures(KeyUse.BROWSER_HANDLES, row.token_hash)
