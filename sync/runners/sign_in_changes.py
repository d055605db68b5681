"""Changes of a way in: who is told, and the links that undo them for seven days.

An address that was left, and a Strava account that was linked, are told at once.
Whatever is undone takes everything with it that began since.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost, Sealer, hash_token
from sync.errors import AddressInUse, DeletionBegun
from sync.mail import outbox
from sync.models import Connection, Export, LinkAttempt, MailLink, Runner
from sync.runners import (
    browser_sessions,
    deletion,
    disconnect,
    mail_links,
    store,
)
from sync.runners.mail_links import UNDO_PURPOSES, NewMailLink
from sync.runners.rules import (
    MAIL_LINK_LIFE,
    is_address_proven,
)
from sync.runtime import Runtime
from sync.vocabulary import (
    MailKind,
    MailLinkPurpose,
    RemovalKind,
    SealedColumn,
)

log = structlog.get_logger()

_UNDO_LIFE = MAIL_LINK_LIFE[MailLinkPurpose.UNDO_ADDRESS]


def find_holder(
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


def forget_former(
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
    try:
        undone = _undo_in_tables(runtime, token=token)
    except DeletionBegun:
        return None
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
        deletion.cancel_if_requested(runtime, session, runner.id)
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
