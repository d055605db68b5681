"""The mails about an account: links, what is ready, what is over.  Pure."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.parts import Message, Sending, plain
from sync.mail.wording import moment, span


@validate_call
def confirm_address(sending: Sending, *, token: str) -> Message:
    return plain(
        "confirm_address",
        sending,
        subject="Confirm your address for Moodmiles",
        link=f"{sending.public_url}/email/confirm/{token}",
        life=span(sending.stale_at - sending.now),
    )


@validate_call
def sign_in_link(sending: Sending, *, token: str) -> Message:
    return plain(
        "sign_in_link",
        sending,
        subject="Your sign-in link for Moodmiles",
        link=f"{sending.public_url}/login/{token}",
        life=span(sending.stale_at - sending.now),
    )


@validate_call
def reconnect(sending: Sending) -> Message:
    """Say that Strava no longer lets us in, and how to mend it."""
    return plain(
        "reconnect",
        sending,
        subject="Moodmiles can no longer see your runs",
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
        subject="Strava is disconnected from Moodmiles",
        link=f"{sending.public_url}/settings",
    )


@validate_call
def deleted(sending: Sending) -> Message:
    """Confirm that everything about the runner is gone."""
    return plain("deleted", sending, subject="Your Moodmiles data is deleted")
