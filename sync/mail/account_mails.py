"""The mails about an account: links, what is ready, what is over.  Pure."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_duration, format_moment
from sync.mail.message import Message, RenderContext, transactional


@validate_call
def render_confirm_address(context: RenderContext, *, token: str) -> Message:
    return transactional(
        "confirm_address",
        context,
        subject=_("Confirm your address for Moodmiles"),
        link=f"{context.public_url}/email/confirm/{token}",
        life=format_duration(context.stale_at - context.now),
    )


@validate_call
def render_sign_in_link(context: RenderContext, *, token: str) -> Message:
    return transactional(
        "sign_in_link",
        context,
        subject=_("Your sign-in link for Moodmiles"),
        link=f"{context.public_url}/login/{token}",
        life=format_duration(context.stale_at - context.now),
    )


@validate_call
def render_reconnect(context: RenderContext) -> Message:
    """Say that Strava no longer lets us in, and how to mend it."""
    return transactional(
        "reconnect",
        context,
        subject=_("Moodmiles can no longer see your runs"),
        link=f"{context.public_url}/connect",
    )


@validate_call
def render_export_ready(
    context: RenderContext, *, expires_at: datetime, zone: str = "UTC"
) -> Message:
    """Say that the runner's data is packed; the page behind it asks to sign in."""
    return transactional(
        "export_ready",
        context,
        subject=_("Your Moodmiles data is ready to download"),
        link=f"{context.public_url}/settings/export",
        until=format_moment(expires_at, zone=zone),
    )


@validate_call
def render_disconnected(context: RenderContext) -> Message:
    """Confirm that Strava is disconnected and its data gone."""
    return transactional(
        "disconnected",
        context,
        subject=_("Strava is disconnected from Moodmiles"),
        link=f"{context.public_url}/settings",
    )


@validate_call
def render_deleted(context: RenderContext) -> Message:
    """Confirm that everything about the runner is gone."""
    return transactional(
        "deleted", context, subject=_("Your Moodmiles data is deleted")
    )


@validate_call
def render_undo(
    context: RenderContext, *, token: str, until: datetime, zone: str = "UTC"
) -> Message:
    """Say that everything will be deleted in a moment, and how to undo it."""
    return transactional(
        "undo",
        context,
        subject=_("Your Moodmiles data will be deleted in a few minutes"),
        link=f"{context.public_url}/undo/{token}",
        until=format_moment(until, zone=zone),
    )


@validate_call
def render_inactive(
    context: RenderContext, *, token: str, until: datetime, zone: str = "UTC"
) -> Message:
    """Say, after a year without a visit, that everything will go in a month."""
    return transactional(
        "inactive",
        context,
        subject=_("Shall we keep your Moodmiles data?"),
        link=f"{context.public_url}/stay/{token}",
        until=format_moment(until, zone=zone),
    )


@validate_call
def render_agree_again(context: RenderContext) -> Message:
    """Say that a text agreed to has changed, and that nothing happens until then."""
    return transactional(
        "agree_again",
        context,
        subject=_("What you agreed to at Moodmiles has a new text"),
        link=f"{context.public_url}/settings/consents",
    )
