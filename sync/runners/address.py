"""The runner's e-mail address: asked for, sealed, confirmed, left, and taken back.

An address signs its runner in.  So a confirmation names the account that asks, no
address leaves one account for another, and one that was left is told at once, with a
link that undoes it.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost, Sealer, hash_token
from sync.errors import AddressInUse, CodeMissing
from sync.mail import outbox
from sync.models import Connection, Export, LinkAttempt, MailLink, Runner, SignIn
from sync.runners import (
    account,
    browser_sessions,
    deletion,
    disconnect,
    mail_links,
    store,
)
from sync.runners.account import AccountSummary
from sync.runners.mail_links import UNDO_PURPOSES, NewMailLink
from sync.runners.rules import (
    CONSENT_VERSION,
    MAIL_LINK_LIFE,
    is_address_proven,
    normalize_address,
)
from sync.runtime import Runtime
from sync.vocabulary import (
    ConsentKind,
    KeyUse,
    MailKind,
    MailLinkPurpose,
    RemovalKind,
    SealedColumn,
)

log = structlog.get_logger()

_UNDO_LIFE = MAIL_LINK_LIFE[MailLinkPurpose.UNDO_ADDRESS]


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
    if _find_holder(session, sealer, address, now=now) in {None, runner_id}:
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
        holder_id = _find_holder(session, runtime.sealer, address, now=now)
        if holder_id not in {None, link.runner_id}:
            raise AddressInUse("The address belongs to another account here.")
        runner = session.get_one(Runner, link.runner_id)
        email_hash = runtime.sealer.lookup_hashes(address)[0]
        if runner.email_hash != email_hash:
            leave_address(session, runtime.sealer, runner, now=now)
            _forget_former(session, runtime.sealer, runner.id, address, now=now)
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


def _find_holder(
    session: Session, sealer: Sealer, address: str, *, now: datetime
) -> int | None:
    """Return whose confirmed address this is, or was until lately; None if nobody's.

    As long as a change can be undone, nobody else can take the address that it left.
    The work is the same whatever comes of it: the time taken tells nothing.
    """
    hashes = sealer.lookup_hashes(address)
    holder_id = store.find_id_by_address(session, hashes)
    former_holders = [
        link.runner_id
        for link in mail_links.find_former_addresses(session, now=now)
        if _has_address(sealer, link, hashes)
    ]
    return holder_id or next(iter(former_holders), None)


def _has_address(sealer: Sealer, link: MailLink, hashes: list[str]) -> bool:
    try:
        former = sealer.open(link.email or b"", SealedColumn.LINK_ADDRESS)
    except KeyLost:
        return False
    return sealer.lookup_hashes(former)[0] == hashes[0]


def _forget_former(
    session: Session, sealer: Sealer, runner_id: int, address: str, *, now: datetime
) -> None:
    """Drop the undo to an address that is the runner's own again."""
    hashes = sealer.lookup_hashes(address)
    for link in mail_links.find_former_addresses(session, now=now, runner_id=runner_id):
        if _has_address(sealer, link, hashes):
            session.delete(link)


def leave_address(
    session: Session, sealer: Sealer, runner: Runner, *, now: datetime
) -> None:
    """Take the address off this runner's row, and tell its reader.

    The mail can undo it for seven days, unless the address was so new that it may
    have been a thief's.  No link that went there signs anybody in any more.
    """
    mail_links.delete_open_links(session, runner.id, MailLinkPurpose.SIGN_IN)
    if runner.email is None or runner.email_confirmed_at is None:
        return
    try:
        former = sealer.open(runner.email, SealedColumn.ADDRESS)
    except KeyLost:
        log.warning("former address cannot be read", runner_id=runner.id)
        clear_address(runner)
        return
    link = NewMailLink(
        purpose=MailLinkPurpose.UNDO_ADDRESS,
        runner_id=runner.id,
        expires_at=now + _UNDO_LIFE,
        values={"until": now + _UNDO_LIFE, "zone": runner.zone},
        address=former,
    )
    former_links = mail_links.find_former_addresses(
        session, now=now, runner_id=runner.id
    )
    if is_address_proven(
        runner.email_confirmed_at,
        now=now,
        has_other_way=runner.athlete_id is not None or bool(former_links),
    ):
        mail_links.enqueue_link(session, sealer, link, now=now)
    else:
        token = mail_links.store_link(session, sealer, link, now=now)
        outbox.enqueue_mail(
            session,
            sealer=sealer,
            now=now,
            dedupe_key=f"{link.purpose}:{hash_token(token)}",
            kind=MailKind.ADDRESS_CHANGED,
            runner_id=runner.id,
            values=link.values,
            to=former,
            stale_at=link.expires_at,
        )
    clear_address(runner)
    session.flush()
    log.info("address left", runner_id=runner.id)


def announce_strava(
    session: Session, sealer: Sealer, runner: Runner, *, now: datetime
) -> None:
    """Tell every address of the last seven days that Strava now signs its runner in.

    The runner's own can undo it for seven days, unless it is so new that it may be a
    thief's.  So long, whatever undoes a change takes this Strava off as well.
    """
    addresses = list(mail_links.list_recent_addresses(session, sealer, runner, now=now))
    if not addresses:
        return
    link = NewMailLink(
        purpose=MailLinkPurpose.UNDO_STRAVA,
        runner_id=runner.id,
        expires_at=now + _UNDO_LIFE,
        values={"until": now + _UNDO_LIFE, "zone": runner.zone},
    )
    former_links = mail_links.find_former_addresses(
        session, now=now, runner_id=runner.id
    )
    is_proven = is_address_proven(
        runner.email_confirmed_at,
        now=now,
        has_other_way=bool(former_links),
    )
    if is_proven and runner.email_hash in sealer.lookup_hashes(addresses[-1]):
        own_link = replace(link, address=addresses.pop())
        mail_links.enqueue_link(session, sealer, own_link, now=now)
    else:
        mail_links.store_link(session, sealer, link, now=now)
    for number, address in enumerate(addresses):
        outbox.enqueue_mail(
            session,
            sealer=sealer,
            now=now,
            dedupe_key=f"{link.purpose}:{runner.id}:{now:%Y%m%d%H%M%S%f}:{number}",
            kind=MailKind.STRAVA_LINKED,
            runner_id=runner.id,
            values=link.values,
            to=address,
            stale_at=link.expires_at,
        )


def undo_change(runtime: Runtime, *, token: str) -> int | None:
    """Give the runner back the address that this link was sent to; None if it is over.

    Whoever made the change loses everything that they began: all sign-ins, visits to
    Strava, mailed links and exports end, a deletion or disconnection is called off,
    later changes of the address cannot be undone to theirs, and a Strava account that
    was linked in the last seven days is disconnected.  Raises `AddressInUse` if the
    address became another account's; the link then stays.
    """
    undone = _undo_in_tables(runtime, token=token)
    if undone is None:
        return None
    if undone.refresh_token is not None:
        disconnect.revoke_token(runtime, undone.runner_id, undone.refresh_token)
    log.info("address change undone", runner_id=undone.runner_id)
    return undone.runner_id


@dataclass(frozen=True, slots=True)
class _UndoneChange:
    """Whose change it was; the sealed token of a Strava that was taken off."""

    runner_id: int
    refresh_token: bytes | None


@retry_conflicts
def _undo_in_tables(runtime: Runtime, *, token: str) -> _UndoneChange | None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = mail_links.redeem_link(session, token, *UNDO_PURPOSES, now=now)
        if link is None or link.email is None:
            return None
        runner = session.get_one(Runner, link.runner_id)
        if not deletion.cancel_if_requested(runtime, session, runner.id):
            return None
        former = runtime.sealer.open(link.email, SealedColumn.LINK_ADDRESS)
        hashes = runtime.sealer.lookup_hashes(former)
        holder = store.find_by_address(session, hashes)
        if holder is not None and holder.id != runner.id:
            raise AddressInUse("The address belongs to another account here.")
        is_strava_new = link.purpose == MailLinkPurpose.UNDO_STRAVA or (
            mail_links.is_strava_new(session, runner.id, now=now)
        )
        _end_whatever_began(session, runner)
        _tell_replaced_address(session, runtime.sealer, runner, former, now=now)
        session.execute(
            delete(MailLink).where(
                MailLink.runner_id == runner.id,
                MailLink.purpose == MailLinkPurpose.UNDO_ADDRESS,
                MailLink.used_at.is_(None),
                MailLink.created_at >= link.created_at,
            )
        )
        is_proven = runner.email_hash in hashes
        if runner.email is None:
            # It was removed with its consent, which no mail can give anew.
            runner.preferences = runner.preferences.with_mails_stopped()
        runner.email = runtime.sealer.seal(former, SealedColumn.ADDRESS)
        runner.email_hash = hashes[0]
        if not is_proven:
            runner.email_confirmed_at = now
        runner.email_bounced_at = None
        link.email = None
        session.flush()
        refresh_token = None
        if is_strava_new:
            connection = session.get(Connection, runner.id)
            refresh_token = connection.refresh_token if connection else None
            disconnect.remove_strava_data(runtime, session, runner.id)
            mail_links.delete_open_links(
                session, runner.id, MailLinkPurpose.UNDO_STRAVA
            )
        return _UndoneChange(runner.id, refresh_token)


def _end_whatever_began(session: Session, runner: Runner) -> None:
    """End all sign-ins, with what they and their mailbox began."""
    browser_sessions.end_sign_ins(session, runner.id)
    session.execute(delete(LinkAttempt).where(LinkAttempt.runner_id == runner.id))
    session.execute(delete(Export).where(Export.runner_id == runner.id))
    mail_links.delete_open_links(
        session, runner.id, MailLinkPurpose.SIGN_IN, MailLinkPurpose.CONFIRM_ADDRESS
    )
    if runner.leaving_for == RemovalKind.DISCONNECT:
        # The tokens may be revoked already, so the link stays marked as broken.
        runner.leaving_for, runner.leaving_since = None, None


def _tell_replaced_address(
    session: Session, sealer: Sealer, runner: Runner, former: str, *, now: datetime
) -> None:
    """Tell the address that the undo takes off: the change may have been honest."""
    try:
        replaced = (
            sealer.open(runner.email, SealedColumn.ADDRESS) if runner.email else former
        )
    except KeyLost:
        return
    if replaced.lower() == former.lower():
        return
    outbox.enqueue_mail(
        session,
        sealer=sealer,
        now=now,
        dedupe_key=f"{MailKind.ADDRESS_RESTORED}:{runner.id}:{now:%Y%m%d%H%M%S%f}",
        kind=MailKind.ADDRESS_RESTORED,
        runner_id=runner.id,
        values={},
        to=replaced,
        stale_at=now + _UNDO_LIFE,
    )


def clear_address(runner: Runner) -> None:
    """Take the address off this runner's row."""
    runner.email = None
    runner.email_hash = None
    runner.email_confirmed_at = None
    runner.email_bounced_at = None
