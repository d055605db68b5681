"""The runner's e-mail address: asked for, sealed, and confirmed by a link."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.crypto import KeyLost, Sealer, hash_token, new_token
from sync.mail import outbox
from sync.models import MailLink, Runner
from sync.runners import store
from sync.runners.rules import CONSENT_VERSION, MAIL_LINK_LIFE, normalize_address
from sync.runtime import Runtime
from sync.vocabulary import ConsentKind, MailKind, MailLinkPurpose


def request_confirmation(runtime: Runtime, *, runner_id: int, email: str) -> None:
    """Send a confirmation link to `email`; nothing changes until it is used.

    Raises `BadAddress`, or `GoingSoon`.
    """
    with runtime.db.transaction() as session:
        account_state.require_not_deleting(session, runner_id)
        now = runtime.db.now(session)
        enqueue_confirmation(
            session, runtime.sealer, runner_id=runner_id, email=email, now=now
        )


def enqueue_confirmation(
    session: Session, sealer: Sealer, *, runner_id: int, email: str, now: datetime
) -> None:
    """Let a confirmation link leave with this transaction, or raise `BadAddress`.

    Links to other addresses end: one that was mistyped is somebody else's.
    """
    address = normalize_address(email)
    _delete_other_links(session, sealer, runner_id, address)
    token = new_token()
    expires_at = now + MAIL_LINK_LIFE[MailLinkPurpose.CONFIRM_ADDRESS]
    session.add(
        MailLink(
            token_hash=hash_token(token),
            runner_id=runner_id,
            purpose=MailLinkPurpose.CONFIRM_ADDRESS,
            email=sealer.seal(address),
            created_at=now,
            expires_at=expires_at,
        )
    )
    outbox.enqueue_mail(
        session,
        sealer=sealer,
        now=now,
        dedupe_key=f"confirm:{hash_token(token)}",
        kind=MailKind.CONFIRM_ADDRESS,
        runner_id=runner_id,
        values={"token": token},
        to=address,
        stale_at=expires_at,
    )


def _delete_other_links(
    session: Session, sealer: Sealer, runner_id: int, address: str
) -> None:
    links = session.scalars(
        select(MailLink).where(
            MailLink.runner_id == runner_id,
            MailLink.purpose == MailLinkPurpose.CONFIRM_ADDRESS,
            MailLink.email.is_not(None),
        )
    )
    for link in links:
        if not _is_link_to(sealer, link, address):
            session.delete(link)


def _is_link_to(sealer: Sealer, link: MailLink, address: str) -> bool:
    try:
        return link.email is not None and sealer.open(link.email) == address
    except KeyLost:
        return False


def confirm_address(runtime: Runtime, *, token: str) -> int | None:
    """Make the link's address the runner's own; None if the link is over.

    The address leaves whoever had it confirmed before: who can read the mail
    owns the address.  An older text of what was agreed to stands in nobody's way:
    who has no Strava signs in by mail to read the new one.  Raises `GoingSoon`; the
    link then stays.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = store.redeem_mail_link(
            session, hash_token(token), MailLinkPurpose.CONFIRM_ADDRESS, now=now
        )
        if link is None or link.email is None:
            return None
        account_state.require_not_deleting(session, link.runner_id)
        address = runtime.sealer.open(link.email)
        hashes = runtime.sealer.lookup_hashes(address)
        previous_owner = store.find_by_address(session, hashes)
        if previous_owner is not None and previous_owner.id != link.runner_id:
            clear_address(previous_owner)
            session.flush()
        runner = session.get_one(Runner, link.runner_id)
        if runner.email_hash != hashes[0]:
            _delete_sign_in_links(session, runner.id)
        runner.email = link.email
        runner.email_hash = hashes[0]
        runner.email_confirmed_at = now
        runner.email_bounced_at = None
        link.email = None
        store.record_consents(
            session, runner.id, [ConsentKind.MAIL], version=CONSENT_VERSION, at=now
        )
        return runner.id


def _delete_sign_in_links(session: Session, runner_id: int) -> None:
    """Let no link that went to the former address sign anybody in."""
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner_id, MailLink.purpose == MailLinkPurpose.SIGN_IN
        )
    )


def clear_address(runner: Runner) -> None:
    """Take the address off this runner's row."""
    runner.email = None
    runner.email_hash = None
    runner.email_confirmed_at = None
    runner.email_bounced_at = None
