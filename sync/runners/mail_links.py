"""One-use links that leave by mail; the table holds only the hash of their token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import (
    ColumnElement,
    delete,
    exists,
    func,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from sync.account_state import RunnerId
from sync.crypto import KeyLost, Sealer, hash_token, new_token
from sync.database import lock_runner
from sync.mail import outbox
from sync.models import MailLink, Runner
from sync.vocabulary import MailKind, MailLinkPurpose, SealedColumn

log = structlog.get_logger()

_MAIL_KINDS = {
    MailLinkPurpose.CONFIRM_ADDRESS: MailKind.CONFIRM_ADDRESS,
    MailLinkPurpose.SIGN_IN: MailKind.SIGN_IN_LINK,
    MailLinkPurpose.UNDO_DELETION: MailKind.UNDO,
    MailLinkPurpose.STAY: MailKind.INACTIVE,
    MailLinkPurpose.UNDO_ADDRESS: MailKind.ADDRESS_CHANGED,
    MailLinkPurpose.UNDO_STRAVA: MailKind.STRAVA_LINKED,
}
# Links that undo a change of the ways in.
UNDO_PURPOSES = (MailLinkPurpose.UNDO_ADDRESS, MailLinkPurpose.UNDO_STRAVA)


@dataclass(frozen=True, slots=True)
class NewMailLink:
    """What a link does, for whom and until when.

    Without a runner it is a decoy: the same rows, which open nothing, and a mail that
    goes to nobody.

    Its mail goes to the runner's confirmed address, or to `address`, which the link
    then makes the runner's own; it says `values` beside the token.  A link with a
    `browser`, a secret in a cookie, is for that browser, and one with the hash of a
    sign-in ends with it.
    """

    purpose: MailLinkPurpose
    runner_id: int | None
    expires_at: datetime
    values: Mapping[str, object] = field(default_factory=dict)
    address: str | None = None
    browser: str | None = None
    sign_in_hash: str | None = None


def enqueue_link(
    session: Session, sealer: Sealer, link: NewMailLink, *, now: datetime
) -> None:
    """Store a link under the hash of a new token, and enqueue the mail with it."""
    token = store_link(session, sealer, link, now=now)
    outbox.enqueue_mail(
        session,
        sealer=sealer,
        now=now,
        dedupe_key=f"{link.purpose}:{hash_token(token)}",
        kind=_MAIL_KINDS[link.purpose],
        runner_id=link.runner_id,
        values={"token": token, **link.values},
        to=link.address,
        stale_at=link.expires_at,
    )


def store_link(
    session: Session, sealer: Sealer, link: NewMailLink, *, now: datetime
) -> str:
    """Store a link under the hash of a new token; return the token."""
    token = new_token()
    session.add(
        MailLink(
            token_hash=hash_token(token),
            runner_id=link.runner_id,
            purpose=link.purpose,
            email=None
            if link.address is None
            else sealer.seal(link.address, SealedColumn.LINK_ADDRESS),
            browser_hash=None if link.browser is None else hash_token(link.browser),
            sign_in_hash=link.sign_in_hash,
            created_at=now,
            expires_at=link.expires_at,
        )
    )
    return token


def find_link(
    session: Session, token: str, purpose: MailLinkPurpose, *, now: datetime
) -> MailLink | None:
    """Return the link of a mail, or None if it is used up or too old."""
    return session.scalar(
        select(MailLink).where(
            MailLink.token_hash == hash_token(token), *_is_open(purpose, now=now)
        )
    )


def redeem_link(
    session: Session, token: str, *purposes: MailLinkPurpose, now: datetime
) -> MailLink | None:
    """Take a link of these purposes from a mail; None if it is used up or too old.

    Its runner's row is locked first.
    """
    token_hash = hash_token(token)
    runner_id = session.scalar(
        select(MailLink.runner_id).where(MailLink.token_hash == token_hash)
    )
    if runner_id is None or not lock_runner(session, runner_id):
        return None
    return session.scalar(
        update(MailLink)
        .where(MailLink.token_hash == token_hash, *_is_open(*purposes, now=now))
        .values(used_at=now)
        .returning(MailLink)
    )


def delete_open_links(
    session: Session, runner_id: int, *purposes: MailLinkPurpose
) -> None:
    """End the runner's links of these purposes that nobody has used yet."""
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner_id,
            MailLink.purpose.in_(purposes),
            MailLink.used_at.is_(None),
        )
    )


def find_former_addresses(
    session: Session, *, now: datetime, runner_id: int | None = None
) -> Sequence[MailLink]:
    """Return the links that hold an address which was left in the last seven days.

    They are those of one runner, or of all, the oldest first.
    """
    is_of_runner = true() if runner_id is None else MailLink.runner_id == runner_id
    return session.scalars(
        select(MailLink)
        .where(
            *_is_open(MailLinkPurpose.UNDO_ADDRESS, now=now),
            MailLink.email.is_not(None),
            is_of_runner,
        )
        .order_by(MailLink.created_at)
    ).all()


def list_recent_addresses(
    session: Session, sealer: Sealer, runner: Runner, *, now: datetime
) -> Sequence[str]:
    """Return every address that was the runner's in the last seven days, by age.

    One that no key opens is left out, and logged.
    """
    former_links = find_former_addresses(session, now=now, runner_id=runner.id)
    sealed_addresses = [
        (link.email, SealedColumn.LINK_ADDRESS) for link in former_links
    ]
    if runner.email_confirmed_at is not None:
        sealed_addresses.append((runner.email, SealedColumn.ADDRESS))
    addresses = []
    for sealed, column in sealed_addresses:
        try:
            addresses.append(sealer.open(sealed or b"", column))
        except KeyLost:
            log.warning("address cannot be read", runner_id=runner.id)
    return addresses


def is_strava_new(session: Session, runner_id: int, *, now: datetime) -> bool:
    """Whether Strava became a way in within the last seven days."""
    is_new = exists().where(
        MailLink.runner_id == runner_id,
        *_is_open(MailLinkPurpose.UNDO_STRAVA, now=now),
    )
    return bool(session.scalar(select(is_new)))


def find_last_undo(
    session: Session, runner_id: int, *, now: datetime
) -> datetime | None:
    """Return until when a change of this runner's ways in can be undone, or None."""
    return session.scalar(
        select(func.max(MailLink.expires_at)).where(
            MailLink.runner_id == runner_id,
            *_is_open(*UNDO_PURPOSES, now=now),
        )
    )


def has_former_address(runner_id: RunnerId, *, now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that a change of this runner's address can be undone."""
    return exists().where(
        MailLink.runner_id == runner_id,
        *_is_open(MailLinkPurpose.UNDO_ADDRESS, now=now),
    )


def _is_open(
    *purposes: MailLinkPurpose, now: datetime
) -> tuple[ColumnElement[bool], ...]:
    return (
        MailLink.purpose.in_(purposes),
        MailLink.runner_id.is_not(None),
        MailLink.used_at.is_(None),
        MailLink.expires_at > now,
    )
