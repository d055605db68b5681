"""The runner's e-mail address: asked for, sealed, and confirmed by a link."""

from sync import standing
from sync.crypto import new_token, token_hash
from sync.mail import outbox
from sync.models import MailLink, Runner
from sync.runners import store
from sync.runners.rules import CONSENT_VERSION, MAIL_LINK_LIFE, clean_address
from sync.runtime import Runtime


def ask(runtime: Runtime, *, runner_id: int, email: str) -> None:
    """Send a confirmation link to `email`; nothing changes until it is used.

    Raises `BadAddress`, or what `standing.require` raises.
    """
    address = clean_address(email)
    token = new_token()
    with runtime.db.transaction() as session:
        standing.require(session, runner_id)
        now = runtime.db.now(session)
        expires_at = now + MAIL_LINK_LIFE["confirm"]
        session.add(
            MailLink(
                token_hash=token_hash(token),
                runner_id=runner_id,
                purpose="confirm",
                email=runtime.sealer.seal(address),
                created_at=now,
                expires_at=expires_at,
            )
        )
        outbox.promise(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=f"confirm:{token_hash(token)}",
            kind="confirm_address",
            runner_id=runner_id,
            values={"token": token},
            to=address,
            stale_at=expires_at,
        )


def confirm(runtime: Runtime, *, token: str) -> int | None:
    """Make the link's address the runner's own; None if the link is over.

    The address leaves whoever had it confirmed before: who can read the mail
    owns the address.  Raises what `standing.require` raises; the link then stays.
    """
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        link = store.use_mail_link(session, token_hash(token), "confirm", now=now)
        if link is None or link.email is None:
            return None
        standing.require(session, link.runner_id)
        address = runtime.sealer.open(link.email)
        hashes = runtime.sealer.lookup_hashes(address)
        former = store.by_address(session, hashes)
        if former is not None and former.id != link.runner_id:
            forget(former)
            session.flush()
        runner = session.get_one(Runner, link.runner_id)
        runner.email = link.email
        runner.email_hash = hashes[0]
        runner.email_confirmed_at = now
        runner.email_bounced_at = None
        link.email = None
        store.agree(session, runner.id, ["mail"], version=CONSENT_VERSION, at=now)
        return runner.id


def forget(runner: Runner) -> None:
    """Take the address off this runner's row."""
    runner.email = None
    runner.email_hash = None
    runner.email_confirmed_at = None
    runner.email_bounced_at = None
