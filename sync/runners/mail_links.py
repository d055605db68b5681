"""One-use links that leave by mail; the table holds only the hash of their token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.crypto import Sealer, hash_token, new_token
from sync.database import lock_runner
from sync.mail import outbox
from sync.models import MailLink
from sync.vocabulary import MailKind, MailLinkPurpose, SealedColumn

_MAIL_KINDS = {
    MailLinkPurpose.CONFIRM_ADDRESS: MailKind.CONFIRM_ADDRESS,
    MailLinkPurpose.SIGN_IN: MailKind.SIGN_IN_LINK,
    MailLinkPurpose.UNDO_DELETION: MailKind.UNDO,
    MailLinkPurpose.STAY: MailKind.INACTIVE,
}


@dataclass(frozen=True, slots=True)
class NewMailLink:
    """What a link does, for whom and until when.

    Without a runner it is a decoy: the same rows, which open nothing, and a mail that
    goes to nobody.

    Its mail goes to the runner's confirmed address, or to `new_address`, which the
    link then confirms; it says `values` beside the token.  A link with a `browser`,
    a secret in a cookie, works there alone.
    """

    purpose: MailLinkPurpose
    runner_id: int | None
    expires_at: datetime
    values: Mapping[str, object] = field(default_factory=dict)
    new_address: str | None = None
    browser: str | None = None


def enqueue_link(
    session: Session, sealer: Sealer, link: NewMailLink, *, now: datetime
) -> None:
    """Store a link under the hash of a new token, and enqueue the mail with it."""
    token = new_token()
    token_hash = hash_token(token)
    session.add(
        MailLink(
            token_hash=token_hash,
            runner_id=link.runner_id,
            purpose=link.purpose,
            email=None
            if link.new_address is None
            else sealer.seal(link.new_address, SealedColumn.LINK_ADDRESS),
            browser_hash=None if link.browser is None else hash_token(link.browser),
            created_at=now,
            expires_at=link.expires_at,
        )
    )
    outbox.enqueue_mail(
        session,
        sealer=sealer,
        now=now,
        dedupe_key=f"{link.purpose}:{token_hash}",
        kind=_MAIL_KINDS[link.purpose],
        runner_id=link.runner_id,
        values={"token": token, **link.values},
        to=link.new_address,
        stale_at=link.expires_at,
    )


def redeem_link(
    session: Session, token: str, purpose: MailLinkPurpose, *, now: datetime
) -> MailLink | None:
    """Take a link from a mail, or return None if it is used up or too old.

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
        .where(
            MailLink.token_hash == token_hash,
            MailLink.purpose == purpose,
            MailLink.runner_id.is_not(None),
            MailLink.used_at.is_(None),
            MailLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(MailLink)
    )
