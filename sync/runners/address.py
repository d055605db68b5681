"""The runner's e-mail address: asked for, sealed, and confirmed.

An address signs its runner in.  So a confirmation names the account that asks, and no
address leaves one account for another.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import account_state
from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost, Sealer, hash_token
from sync.errors import AddressInUse, CodeMissing
from sync.mail import outbox
from sync.models import MailLink, Runner, SignIn
from sync.runners import (
    account,
    mail_links,
    sign_in_changes,
    store,
)
from sync.runners.account import AccountSummary
from sync.runners.mail_links import NewMailLink
from sync.runners.rules import (
    CONSENT_VERSION,
    MAIL_LINK_LIFE,
    normalize_address,
)
from sync.runtime import Runtime
from sync.vocabulary import (
    ConsentKind,
    KeyUse,
    MailKind,
    MailLinkPurpose,
    SealedColumn,
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskingBrowser:
    """Where an address was given: the tokens of the sign-in and of the browser."""

    sign_in_token: str
    browser_token: str


@dataclass(frozen=True, slots=True)
class PendingConfirmation:
    """What the reader of a confirmation must know before they say yes.

    `browser` is the name of the one that asked, "" if it is not known.  In another
    browser than that one the code is needed which is shown there.
    """

    account: AccountSummary
    browser: str
    needs_code: bool


@retry_conflicts
def request_confirmation(
    runtime: Runtime,
    *,
    runner_id: int,
    email: str,
    asked_in: AskingBrowser | None = None,
) -> None:
    """Send a confirmation link to `email`; nothing changes until it is used.

    Raises `InvalidAddress` or `DeletionPending`.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        account_state.require_not_deleting(session, runner_id)
        now = runtime.db.now(session)
        enqueue_confirmation(
            session,
            runtime.sealer,
            runner_id=runner_id,
            email=email,
            now=now,
            asked_in=asked_in,
        )
    log.info("address asked for", runner_id=runner_id)


def enqueue_confirmation(  # noqa: PLR0913
    session: Session,
    sealer: Sealer,
    *,
    runner_id: int,
    email: str,
    now: datetime,
    asked_in: AskingBrowser | None = None,
) -> None:
    """Let a confirmation link leave with this transaction, or raise `InvalidAddress`.

    Links to other addresses end: one that was mistyped is somebody else's.  If the
    address is another account's, its reader is told so and gets no link; whoever
    asked cannot tell the difference.
    """
    address = normalize_address(email)
    earlier_links = session.scalars(
        select(MailLink).where(
            MailLink.runner_id == runner_id,
            MailLink.purpose == MailLinkPurpose.CONFIRM_ADDRESS,
            MailLink.email.is_not(None),
        )
    )
    for link in earlier_links:
        if not _is_link_to(sealer, link, address):
            session.delete(link)
    summary = account.load_summary(session, runner_id)
    values = {
        "member_since": summary.member_since,
        "runs": summary.runs,
        "is_linked": summary.is_linked,
        "browser": _load_browser_name(session, asked_in),
    }
    new_link = NewMailLink(
        purpose=MailLinkPurpose.CONFIRM_ADDRESS,
        runner_id=runner_id,
        expires_at=now + MAIL_LINK_LIFE[MailLinkPurpose.CONFIRM_ADDRESS],
        values=values,
        address=address,
        browser=asked_in.browser_token if asked_in else None,
        sign_in_hash=hash_token(asked_in.sign_in_token) if asked_in else None,
    )
    if sign_in_changes.find_holder(session, sealer, address, now=now) in {
        None,
        runner_id,
    }:
        mail_links.enqueue_link(session, sealer, new_link, now=now)
        return
    token = mail_links.store_link(session, sealer, new_link, now=now)
    outbox.enqueue_mail(
        session,
        sealer=sealer,
        now=now,
        dedupe_key=f"{MailKind.ADDRESS_IN_USE}:{hash_token(token)}",
        kind=MailKind.ADDRESS_IN_USE,
        runner_id=runner_id,
        values=values,
        to=address,
        stale_at=new_link.expires_at,
    )


def _is_link_to(sealer: Sealer, link: MailLink, address: str) -> bool:
    try:
        return link.email is not None and (
            sealer.open(link.email, SealedColumn.LINK_ADDRESS) == address
        )
    except KeyLost:
        return False


def _load_browser_name(session: Session, asked_in: AskingBrowser | None) -> str:
    if asked_in is None:
        return ""
    sign_in = session.get(SignIn, hash_token(asked_in.sign_in_token))
    return (sign_in.browser if sign_in else None) or ""


def load_code(runtime: Runtime, *, token: str) -> str | None:
    """Return the code of the latest confirmation that this sign-in asked for.

    It stands on the page in the browser that asked, and is typed where the link was
    opened in another one.
    """
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        token_hash = session.scalar(
            select(MailLink.token_hash)
            .where(
                MailLink.sign_in_hash == hash_token(token),
                MailLink.purpose == MailLinkPurpose.CONFIRM_ADDRESS,
                MailLink.used_at.is_(None),
                MailLink.expires_at > now,
            )
            .order_by(MailLink.created_at.desc())
            .limit(1)
        )
    return None if token_hash is None else _list_codes(runtime.sealer, token_hash)[0]


def _list_codes(sealer: Sealer, token_hash: str) -> list[str]:
    """Return the six digits of a confirmation with each key, the newest first."""
    return [
        f"{int(sha256(signature.encode()).hexdigest(), 16) % 10**6:06d}"
        for signature in sealer.signatures(KeyUse.CONFIRMATION_CODES, token_hash)
    ]


def load_confirmation(
    runtime: Runtime, *, token: str, browser: str
) -> PendingConfirmation | None:
    """Return what a confirmation would do, or None if its link is over."""
    with runtime.db.read_only() as session:
        now = runtime.db.now(session)
        link = mail_links.find_link(
            session, token, MailLinkPurpose.CONFIRM_ADDRESS, now=now
        )
        if link is None:
            return None
        sign_in = session.get(SignIn, link.sign_in_hash) if link.sign_in_hash else None
        return PendingConfirmation(
            account=account.load_summary(session, link.runner_id),
            browser=(sign_in.browser if sign_in else None) or "",
            needs_code=not _is_asking_browser(link, browser),
        )


def _is_asking_browser(link: MailLink, browser: str) -> bool:
    """Whether this browser asked for the link, or none did: it came with a file."""
    if link.browser_hash is None:
        return True
    return hmac.compare_digest(link.browser_hash, hash_token(browser))


@retry_conflicts
def confirm_address(
    runtime: Runtime, *, token: str, browser: str = "", code: str = ""
) -> int | None:
    """Make the link's address the runner's own; None if the link is over.

    The address that this leaves is told so.  An outdated consent does not matter
    here: runners without Strava sign in by mail to read the new text.

    Raises `CodeMissing` in another browser than the one that asked, without the code
    that is shown there; `AddressInUse` if it is another account's by now; and
    `DeletionPending`.  The link then stays.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = mail_links.redeem_link(
            session, token, MailLinkPurpose.CONFIRM_ADDRESS, now=now
        )
        if link is None or link.email is None:
            return None
        if not _is_asking_browser(link, browser) and not any(
            hmac.compare_digest(code.strip().encode(), valid.encode())
            for valid in _list_codes(runtime.sealer, link.token_hash)
        ):
            raise CodeMissing("The link was opened in another browser.")
        account_state.require_not_deleting(session, link.runner_id)
        address = runtime.sealer.open(link.email, SealedColumn.LINK_ADDRESS)
        holder_id = sign_in_changes.find_holder(
            session, runtime.sealer, address, now=now
        )
        if holder_id not in {None, link.runner_id}:
            raise AddressInUse("The address belongs to another account here.")
        runner = session.get_one(Runner, link.runner_id)
        email_hash = runtime.sealer.lookup_hashes(address)[0]
        if runner.email_hash != email_hash:
            sign_in_changes.leave_address(session, runtime.sealer, runner, now=now)
            sign_in_changes.forget_former(
                session, runtime.sealer, runner.id, address, now=now
            )
            runner.email_confirmed_at = now
        runner.email = runtime.sealer.seal(address, SealedColumn.ADDRESS)
        runner.email_hash = email_hash
        runner.email_bounced_at = None
        link.email = None
        store.record_consents(
            session, runner.id, [ConsentKind.MAIL], version=CONSENT_VERSION, at=now
        )
        runner_id = runner.id
    log.info("address confirmed", runner_id=runner_id)
    return runner_id
