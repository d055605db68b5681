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
    FRESH_SIGN_IN,
    MAIL_LINK_LIFE,
    SIGN_IN_IDLE,
    SIGN_IN_LIFE,
    is_address_proven,
    normalize_address,
)
from sync.runtime import Runtime
from sync.vocabulary import MailLinkPurpose, SignInMethod

log = structlog.get_logger()

_SEEN_INTERVAL = timedelta(hours=1)
_ACTIVE_INTERVAL = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedInRunner:
    """Who is signed in; `erase_at` is set while a deletion waits for its undo.

    `ways` are those by which the runner can sign in.  `is_recent` means within the
    last ten minutes; `is_fresh` also that it was by a way that proves who came, which
    a link to a new address does not.  A runner without any way is always both.
    """

    runner_id: int
    zone: str
    units: str
    language: str = ""
    erase_at: datetime | None = None
    must_agree: bool = False
    ways: frozenset[SignInMethod] = frozenset()
    is_address_proven: bool = True
    is_recent: bool = False
    is_fresh: bool = False


@retry_conflicts
def sign_in(
    runtime: Runtime,
    runner_id: int,
    *,
    method: SignInMethod | None = None,
    browser: str | None = None,
) -> str:
    """Open a session for this runner and return its cookie's token.

    `browser` is what its runner will know it by, such as "Firefox on Linux".  Without
    a `method` the least is assumed of it.  Raises `DeletionPending` if the runner was
    deleted a moment ago.
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
                method=method,
            )
        )
        account_state.touch(session, runner_id, now=now)
    log.info("signed in", runner_id=runner_id, method=method)
    return token


def find_signed_in(runtime: Runtime, token: str) -> SignedInRunner | None:
    """Return whose session this is, or None when it has ended."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        row = session.execute(
            select(
                SignIn.seen_at,
                SignIn.created_at,
                SignIn.method,
                Runner.id,
                Runner.athlete_id,
                Runner.email_confirmed_at,
                Runner.zone,
                Runner.preferences,
                Runner.active_at,
                Runner.erase_at,
                account_state.has_outdated_consent(Runner.id).label("must_agree"),
                mail_links.has_former_address(Runner.id, now=now).label(
                    "has_former_address"
                ),
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
    is_linked, confirmed_at = row.athlete_id is not None, row.email_confirmed_at
    is_proven = is_address_proven(
        confirmed_at, now=now, has_other_way=is_linked or row.has_former_address
    )
    is_by_new_address = (
        row.method != SignInMethod.STRAVA
        and confirmed_at is not None
        and row.created_at >= confirmed_at
        and not is_proven
    )
    ways = {SignInMethod.STRAVA} if is_linked else set()
    ways |= {SignInMethod.MAIL} if confirmed_at is not None else set()
    is_recent = not ways or now - row.created_at <= FRESH_SIGN_IN
    return SignedInRunner(
        runner_id=row.id,
        zone=row.zone,
        units=preferences.units,
        language=preferences.language,
        erase_at=row.erase_at,
        must_agree=row.must_agree,
        ways=frozenset(ways),
        is_address_proven=is_proven,
        is_recent=is_recent,
        is_fresh=is_recent and not is_by_new_address,
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
def enqueue_own_link(
    runtime: Runtime, runner_id: int, *, sign_in_token: str, browser: str
) -> None:
    """Mail a link to the runner's own address, with which they sign in again.

    It ends with the sign-in that asked for it.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get_one(Runner, runner_id)
        if runner.email_confirmed_at is None:
            return
        now = runtime.db.now(session)
        new_link = NewMailLink(
            purpose=MailLinkPurpose.SIGN_IN,
            runner_id=runner_id,
            expires_at=now + MAIL_LINK_LIFE[MailLinkPurpose.SIGN_IN],
            browser=browser,
            sign_in_hash=hash_token(sign_in_token),
        )
        mail_links.enqueue_link(session, runtime.sealer, new_link, now=now)
    log.info("sign-in link asked for", runner_id=runner_id)


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
