"""The runner's e-mail address: asked for, sealed, and confirmed by a link."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync import account_state
from sync.crypto import KeyLost, Sealer, new_token, token_hash
from sync.mail import outbox
from sync.models import MailLink, Runner
from sync.runners import store
from sync.runners.rules import CONSENT_VERSION, MAIL_LINK_LIFE, clean_address
from sync.runtime import Runtime


def ask(runtime: Runtime, *, runner_id: int, email: str) -> None:
    """Send a confirmation link to `email`; nothing changes until it is used.

    Raises `BadAddress`, or `GoingSoon`.
    """
    with runtime.db.transaction() as session:
        account_state.require_staying(session, runner_id)
        now = runtime.db.now(session)
        promise(session, runtime.sealer, runner_id=runner_id, email=email, now=now)


def promise(
    session: Session, sealer: Sealer, *, runner_id: int, email: str, now: datetime
) -> None:
    """Let a confirmation link leave with this transaction, or raise `BadAddress`.

    Links to other addresses end: one that was mistyped is somebody else's.
    """
    address = clean_address(email)
    _end_links_to_others(session, sealer, runner_id, address)
    token = new_token()
    expires_at = now + MAIL_LINK_LIFE["confirm"]
    session.add(
        MailLink(
            token_hash=token_hash(token),
            runner_id=runner_id,
            purpose="confirm",
            email=sealer.seal(address),
            created_at=now,
            expires_at=expires_at,
        )
    )
    outbox.promise(
        session,
        sealer=sealer,
        now=now,
        dedupe_key=f"confirm:{token_hash(token)}",
        kind="confirm_address",
        runner_id=runner_id,
        values={"token": token},
        to=address,
        stale_at=expires_at,
    )


def _end_links_to_others(
    session: Session, sealer: Sealer, runner_id: int, address: str
) -> None:
    waiting = session.scalars(
        select(MailLink).where(
            MailLink.runner_id == runner_id,
            MailLink.purpose == "confirm",
            MailLink.email.is_not(None),
        )
    )
    for link in waiting:
        if not _leads_to(sealer, link, address):
            session.delete(link)


def _leads_to(sealer: Sealer, link: MailLink, address: str) -> bool:
    try:
        return link.email is not None and sealer.open(link.email) == address
    except KeyLost:
        return False


def confirm(runtime: Runtime, *, token: str) -> int | None:
    """Make the link's address the runner's own; None if the link is over.

    The address leaves whoever had it confirmed before: who can read the mail
    owns the address.  An older text of what was agreed to stands in nobody's way:
    who has no Strava signs in by mail to read the new one.  Raises `GoingSoon`; the
    link then stays.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = store.use_mail_link(session, token_hash(token), "confirm", now=now)
        if link is None or link.email is None:
            return None
        account_state.require_staying(session, link.runner_id)
        address = runtime.sealer.open(link.email)
        hashes = runtime.sealer.lookup_hashes(address)
        former = store.by_address(session, hashes)
        if former is not None and former.id != link.runner_id:
            forget(former)
            session.flush()
        runner = session.get_one(Runner, link.runner_id)
        if runner.email_hash != hashes[0]:
            _end_sign_in_links(session, runner.id)
        runner.email = link.email
        runner.email_hash = hashes[0]
        runner.email_confirmed_at = now
        runner.email_bounced_at = None
        link.email = None
        store.agree(session, runner.id, ["mail"], version=CONSENT_VERSION, at=now)
        return runner.id


def _end_sign_in_links(session: Session, runner_id: int) -> None:
    """Let no link that went to the former address sign anybody in."""
    session.execute(
        delete(MailLink).where(
            MailLink.runner_id == runner_id, MailLink.purpose == "sign in"
        )
    )


def forget(runner: Runner) -> None:
    """Take the address off this runner's row."""
    runner.email = None
    runner.email_hash = None
    runner.email_confirmed_at = None
    runner.email_bounced_at = None
