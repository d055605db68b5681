"""Whom a mail names in its foot: what moods and the longer look say together."""

from collections.abc import Sequence

from sqlalchemy.exc import NoResultFound

from sync.mail.message import FooterContact
from sync.runtime import Runtime
from sync.surveys.answering import wellbeing


def find_contacts(
    runtime: Runtime, mail_id: int, runner_id: int
) -> Sequence[FooterContact]:
    """Return people to talk to, where the last answers or the last page were low."""
    try:
        page = wellbeing.load_page(runtime, runner_id)
    except NoResultFound:  # erased since the mail was claimed
        return ()
    # Only now: it loads numpy, which a worker without mails need not hold.
    from sync.support import mail_contacts  # noqa: PLC0415

    is_low = page.is_enabled and not page.is_due and page.offers_support
    return mail_contacts.select_mail_contacts(
        runtime, mail_id, runner_id, is_low=is_low
    )
