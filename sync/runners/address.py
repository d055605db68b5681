"""The runner's e-mail address: asked for, sealed, and confirmed by a link."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.conflicts import retry_conflicts
from sync.crypto import KeyLost, Sealer
from sync.models import MailLink, Runner
from sync.runners import mail_links, store
from sync.runners.mail_links import NewMailLink
from sync.runners.rules import CONSENT_VERSION, MAIL_LINK_LIFE, normalize_address
from sync.runtime import Runtime
from sync.vocabulary import ConsentKind, MailLinkPurpose, SealedColumn


@retry_conflicts
def request_confirmation(runtime: Runtime, *, runner_id: int, email: str) -> None:
    """Send a confirmation link to `email`; nothing changes until it is used.

    Raises `InvalidAddress` or `DeletionPending`.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        account_state.require_not_deleting(session, runner_id)
        now = runtime.db.now(session)
        enqueue_confirmation(
            session, runtime.sealer, runner_id=runner_id, email=email, now=now
        )


def enqueue_confirmation(
    session: Session, sealer: Sealer, *, runner_id: int, email: str, now: datetime
) -> None:
    """Let a confirmation link leave with this transaction, or raise `InvalidAddress`.

    Links to other addresses end: one that was mistyped is somebody else's.
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
    new_link = NewMailLink(
        purpose=MailLinkPurpose.CONFIRM_ADDRESS,
        runner_id=runner_id,
        expires_at=now + MAIL_LINK_LIFE[MailLinkPurpose.CONFIRM_ADDRESS],
        new_address=address,
    )
    mail_links.enqueue_link(session, sealer, new_link, now=now)


def _is_link_to(sealer: Sealer, link: MailLink, address: str) -> bool:
    try:
        return link.email is not None and (
            sealer.open(link.email, SealedColumn.LINK_ADDRESS) == address
        )
    except KeyLost:
        return False


@retry_conflicts
def confirm_address(runtime: Runtime, *, token: str) -> int | None:
    """Make the link's address the runner's own; None if the link is over.

    The address leaves a runner who had it confirmed before, since the reader of the
    mail owns the address.  An outdated consent does not matter here: runners without
    Strava sign in by mail to read the new text.  Raises `DeletionPending`; the link
    then stays.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = mail_links.redeem_link(
            session, token, MailLinkPurpose.CONFIRM_ADDRESS, now=now
        )
        if link is None or link.email is None:
            return None
        account_state.require_not_deleting(session, link.runner_id)
        address = runtime.sealer.open(link.email, SealedColumn.LINK_ADDRESS)
        hashes = runtime.sealer.lookup_hashes(address)
        previous_owner = store.find_by_address(session, hashes)
        if previous_owner is not None and previous_owner.id != link.runner_id:
            clear_address(previous_owner)
            session.flush()
        runner = session.get_one(Runner, link.runner_id)
        if runner.email_hash != hashes[0]:
            # No link that went to the former address may sign anybody in.
            session.execute(
                delete(MailLink).where(
                    MailLink.runner_id == runner.id,
                    MailLink.purpose == MailLinkPurpose.SIGN_IN,
                )
            )
        runner.email = runtime.sealer.seal(address, SealedColumn.ADDRESS)
        runner.email_hash = hashes[0]
        runner.email_confirmed_at = now
        runner.email_bounced_at = None
        link.email = None
        store.record_consents(
            session, runner.id, [ConsentKind.MAIL], version=CONSENT_VERSION, at=now
        )
        return runner.id


def clear_address(runner: Runner) -> None:
    """Take the address off this runner's row."""
    runner.email = None
    runner.email_hash = None
    runner.email_confirmed_at = None
    runner.email_bounced_at = None
