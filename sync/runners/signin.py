"""Who is signed in: server-side, ended at will, by Strava or by a mailed link."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from sync.crypto import new_token, token_hash
from sync.mail import outbox
from sync.models import MailLink, Runner, SignIn
from sync.runners import store
from sync.runners.rules import (
    MAIL_LINK_LIFE,
    SIGN_IN_IDLE,
    SIGN_IN_LIFE,
    clean_address,
)
from sync.runtime import Runtime

_SEEN_AGAIN = timedelta(hours=1)  # a page view should not write each time


@dataclass(frozen=True, slots=True)
class SignedIn:
    runner_id: int
    zone: str
    units: str


def sign_in(runtime: Runtime, runner_id: int) -> str:
    """Open a session for this runner and return its cookie's token."""
    token = new_token()
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        session.execute(delete(SignIn).where(SignIn.expires_at <= now))
        session.add(
            SignIn(
                token_hash=token_hash(token),
                runner_id=runner_id,
                created_at=now,
                seen_at=now,
                expires_at=now + SIGN_IN_LIFE,
            )
        )
    return token


def runner_of(runtime: Runtime, token: str) -> SignedIn | None:
    """Return whose session this is, or None when it has ended."""
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        found = session.execute(
            select(SignIn.seen_at, Runner.id, Runner.zone, Runner.preferences)
            .join(Runner)
            .where(
                SignIn.token_hash == token_hash(token),
                SignIn.expires_at > now,
                SignIn.seen_at > now - SIGN_IN_IDLE,
            )
        ).first()
    if found is None:
        return None
    if now - found.seen_at > _SEEN_AGAIN:
        with runtime.db.transaction() as session:
            session.execute(
                update(SignIn)
                .where(SignIn.token_hash == token_hash(token))
                .values(seen_at=now)
            )
    return SignedIn(found.id, found.zone, found.preferences.get("units", "km"))


def sign_out(runtime: Runtime, token: str) -> None:
    with runtime.db.transaction() as session:
        session.execute(delete(SignIn).where(SignIn.token_hash == token_hash(token)))


def send_link(runtime: Runtime, *, email: str, browser: str) -> None:
    """Mail a one-use sign-in link, if the address is a confirmed one.

    Whether it is stays our secret: the page says the same either way.
    Raises `BadAddress` for what is no address at all.
    """
    address = clean_address(email)
    token = new_token()
    with runtime.db.transaction() as session:
        runner = store.by_address(session, runtime.sealer.lookup_hashes(address))
        if runner is None:
            return
        now = runtime.db.now(session)
        expires_at = now + MAIL_LINK_LIFE["sign in"]
        session.add(
            MailLink(
                token_hash=token_hash(token),
                runner_id=runner.id,
                purpose="sign in",
                browser_hash=token_hash(browser),
                created_at=now,
                expires_at=expires_at,
            )
        )
        outbox.promise(
            session,
            sealer=runtime.sealer,
            now=now,
            dedupe_key=f"sign in:{token_hash(token)}",
            kind="sign_in_link",
            runner_id=runner.id,
            values={"token": token},
            stale_at=expires_at,
        )


def redeem(runtime: Runtime, *, token: str, browser: str) -> int | None:
    """Return whom the mailed link signs in: once, in time, in the same browser."""
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        bound = session.scalar(
            select(MailLink.browser_hash).where(
                MailLink.token_hash == token_hash(token)
            )
        )
        if bound != token_hash(browser):
            return None
        link = store.use_mail_link(session, token_hash(token), "sign in", now=now)
        return link.runner_id if link else None
