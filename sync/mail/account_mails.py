"""The mails about an account: links, what is ready, what is over.  Pure."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import moment, span
from sync.mail.message import Message, Sending, plain


@validate_call
def confirm_address(sending: Sending, *, token: str) -> Message:
    return plain(
        "confirm_address",
        sending,
        subject=_("Confirm your address for Moodmiles"),
        link=f"{sending.public_url}/email/confirm/{token}",
        life=span(sending.stale_at - sending.now),
    )


@validate_call
def sign_in_link(sending: Sending, *, token: str) -> Message:
    return plain(
        "sign_in_link",
        sending,
        subject=_("Your sign-in link for Moodmiles"),
        link=f"{sending.public_url}/login/{token}",
        life=span(sending.stale_at - sending.now),
    )


@validate_call
def reconnect(sending: Sending) -> Message:
    """Say that Strava no longer lets us in, and how to mend it."""
    return plain(
        "reconnect",
        sending,
        subject=_("Moodmiles can no longer see your runs"),
        link=f"{sending.public_url}/connect",
    )


@validate_call
def export_ready(
    sending: Sending, *, expires_at: datetime, zone: str = "UTC"
) -> Message:
    """Say that the runner's data is packed; the page behind it asks to sign in."""
    return plain(
        "export_ready",
        sending,
        subject=_("Your Moodmiles data is ready to download"),
        link=f"{sending.public_url}/settings/export",
        until=moment(expires_at, zone=zone),
    )


@validate_call
def disconnected(sending: Sending) -> Message:
    """Confirm that Strava is disconnected and its data gone."""
    return plain(
        "disconnected",
        sending,
        subject=_("Strava is disconnected from Moodmiles"),
        link=f"{sending.public_url}/settings",
    )


@validate_call
def deleted(sending: Sending) -> Message:
    """Confirm that everything about the runner is gone."""
    return plain("deleted", sending, subject=_("Your Moodmiles data is deleted"))


@validate_call
def undo(
    sending: Sending, *, token: str, until: datetime, zone: str = "UTC"
) -> Message:
    """Say that everything will be deleted in a moment, and how to undo it."""
    return plain(
        "undo",
        sending,
        subject=_("Your Moodmiles data will be deleted in a few minutes"),
        link=f"{sending.public_url}/undo/{token}",
        until=moment(until, zone=zone),
    )


@validate_call
def inactive(
    sending: Sending, *, token: str, until: datetime, zone: str = "UTC"
) -> Message:
    """Say, after a year without a visit, that everything will go in a month."""
    return plain(
        "inactive",
        sending,
        subject=_("Shall we keep your Moodmiles data?"),
        link=f"{sending.public_url}/stay/{token}",
        until=moment(until, zone=zone),
    )


@validate_call
def agree_again(sending: Sending) -> Message:
    """Say that a text agreed to has changed, and that nothing happens until then."""
    return plain(
        "agree_again",
        sending,
        subject=_("What you agreed to at Moodmiles has a new text"),
        link=f"{sending.public_url}/settings/consents",
    )
