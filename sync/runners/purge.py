"""Remove what is over: visits to Strava, mailed links, sign-ins, unused accounts."""

from datetime import timedelta

from sqlalchemy import delete, or_, update

from sync.models import LinkAttempt, MailLink, SignIn
from sync.runners import consents, inactivity
from sync.runners.rules import SIGN_IN_IDLE
from sync.runtime import Runtime

# Who comes back with an old link should read why it does not work.  The address that
# it held goes at once.
LINK_RETENTION = timedelta(days=1)


def purge_expired(runtime: Runtime) -> None:
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        for table in (LinkAttempt, MailLink):
            is_over = or_(
                table.expires_at < now - LINK_RETENTION,
                table.used_at < now - LINK_RETENTION,
            )
            session.execute(delete(table).where(is_over))
        session.execute(
            update(MailLink)
            .where(MailLink.expires_at <= now, MailLink.email.is_not(None))
            .values(email=None)
        )
        session.execute(
            delete(SignIn).where(
                or_(SignIn.expires_at <= now, SignIn.seen_at <= now - SIGN_IN_IDLE)
            )
        )
    consents.request_renewals(runtime)
    inactivity.process_inactive(runtime)
