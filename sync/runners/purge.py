"""Remove what is over: visits to Strava, mailed links, sign-ins, unused accounts."""

from datetime import timedelta

from sqlalchemy import delete, or_, update

from sync.conflicts import retry_conflicts
from sync.models import LinkAttempt, Mail, MailLink, SignIn
from sync.runners import consents, inactivity
from sync.runners.rules import SIGN_IN_IDLE
from sync.runtime import Runtime
from sync.vocabulary import MailKind

# Who comes back with an old link should read why it does not work.  The address that
# it held goes at once.
LINK_RETENTION = timedelta(days=1)


def purge_expired(runtime: Runtime) -> None:
    _delete_expired(runtime)
    consents.request_renewals(runtime)
    inactivity.process_inactive(runtime)


@retry_conflicts
def _delete_expired(runtime: Runtime) -> None:
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
        # Decoys, of addresses that are not known here: no runner takes them along.
        session.execute(
            delete(Mail).where(
                Mail.kind == MailKind.SIGN_IN_LINK,
                Mail.runner_id.is_(None),
                Mail.stale_at < now - LINK_RETENTION,
            )
        )
