"""Who is signed in: server-side, ended at will, by Strava or by a mailed link."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from sync import account_state
from sync.conflicts import retry_conflicts
from sync.crypto import hash_token, new_token
from sync.errors import DeletionPending
from sync.models import MailLink, Runner, SignIn
from sync.runners import mail_links, store
from sync.runners.mail_links import NewMailLink
from sync.runners.rules import (
    MAIL_LINK_LIFE,
    SIGN_IN_IDLE,
    SIGN_IN_LIFE,
    normalize_address,
)
from sync.runtime import Runtime
from sync.vocabulary import MailLinkPurpose

log = structlog.get_logger()

_SEEN_INTERVAL = timedelta(hours=1)
_ACTIVE_INTERVAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedInRunner:
    """Who is signed in; `erase_at` is set while a deletion waits for its undo."""

    runner_id: int
    zone: str
    units: str
    language: str = ""
    erase_at: datetime | None = None
    must_agree: bool = False


@retry_conflicts
def sign_in(runtime: Runtime, runner_id: int, *, browser: str | None = None) -> str:
    """Open a session for this runner and return its cookie's token.

    `browser` is what its runner will know it by, such as "Firefox on Linux".
    Raises `DeletionPending` if the runner was deleted a moment ago.
    """
    token = new_token()
    with runtime.db.transaction(runner_id=runner_id) as session:
        if session.get(Runner, runner_id) is None:
            raise DeletionPending("This account has just been deleted.")
        now = runtime.db.now(session)
        session.execute(
            delete(SignIn).where(
                SignIn.runner_id == runner_id, SignIn.expires_at <= now
            )
        )
        session.add(
            SignIn(
                token_hash=hash_token(token),
                runner_id=runner_id,
                created_at=now,
                seen_at=now,
                expires_at=now + SIGN_IN_LIFE,
                browser=browser,
            )
        )
        account_state.touch(session, runner_id, now=now)
    log.info("signed in", runner_id=runner_id)
    return token


def find_signed_in(runtime: Runtime, token: str) -> SignedInRunner | None:
    """Return whose session this is, or None when it has ended."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        row = session.execute(
            select(
                SignIn.seen_at,
                Runner.id,
                Runner.zone,
                Runner.preferences,
                Runner.active_at,
                Runner.erase_at,
                account_state.has_outdated_consent(Runner.id).label("must_agree"),
            )
            .join(Runner)
            .where(
                SignIn.token_hash == hash_token(token),
                SignIn.expires_at > now,
                SignIn.seen_at > now - SIGN_IN_IDLE,
            )
        ).first()
    if row is None:
        return None
    is_new_day = row.active_at is None or now - row.active_at > _ACTIVE_INTERVAL
    # A page view should not write each time.
    if is_new_day or now - row.seen_at > _SEEN_INTERVAL:
        _save_visit(runtime, token, row.id, is_new_day=is_new_day)
    preferences = row.preferences
    return SignedInRunner(
        row.id,
        row.zone,
        preferences.units,
        preferences.language,
        row.erase_at,
        row.must_agree,
    )


@retry_conflicts
def _save_visit(
    runtime: Runtime, token: str, runner_id: int, *, is_new_day: bool
) -> None:
    with runtime.db.transaction(runner_id=runner_id) as session:
        now = runtime.db.now(session)
        session.execute(
            update(SignIn)
            .where(SignIn.token_hash == hash_token(token))
            .values(seen_at=now)
        )
        if is_new_day:
            account_state.touch(session, runner_id, now=now)


@retry_conflicts
def sign_out(runtime: Runtime, token: str) -> None:
    with runtime.db.transaction() as session:
        runner_id = session.scalar(
            delete(SignIn)
            .where(SignIn.token_hash == hash_token(token))
            .returning(SignIn.runner_id)
        )
    if runner_id is not None:
        log.info("signed out", runner_id=runner_id)


@retry_conflicts
def enqueue_sign_in_link(runtime: Runtime, *, email: str, browser: str) -> None:
    """Mail a one-use sign-in link, if the address is a confirmed one.

    Whether it is stays our secret: the page says the same either way, and an unknown
    address gets the same rows, so that the time taken tells nothing; the mail of
    those is withheld when it is due.  Raises `InvalidAddress`.
    """
    address = normalize_address(email)
    with runtime.db.transaction() as session:
        hashes = runtime.sealer.lookup_hashes(address)
        runner_id = store.find_id_by_address(session, hashes)
        log.info("sign-in link asked for", runner_id=runner_id)
        now = runtime.db.now(session)
        new_link = NewMailLink(
            purpose=MailLinkPurpose.SIGN_IN,
            runner_id=runner_id,
            expires_at=now + MAIL_LINK_LIFE[MailLinkPurpose.SIGN_IN],
            browser=browser,
        )
        mail_links.enqueue_link(session, runtime.sealer, new_link, now=now)


@retry_conflicts
def redeem_sign_in_link(runtime: Runtime, *, token: str, browser: str) -> int | None:
    """Return whom the mailed link signs in: once, in time, in the same browser."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        browser_hash = session.scalar(
            select(MailLink.browser_hash).where(
                MailLink.token_hash == hash_token(token)
            )
        )
        if not hmac.compare_digest(browser_hash or "", hash_token(browser)):
            return None
        link = mail_links.redeem_link(session, token, MailLinkPurpose.SIGN_IN, now=now)
        return link.runner_id if link else None
