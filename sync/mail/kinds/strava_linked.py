"""Tells a runner that a Strava account signs in to theirs now, and how to undo it."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_moment
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(
    context: RenderContext,
    *,
    until: datetime,
    zone: str = "UTC",
    token: str | None = None,
) -> RenderedMail:
    """Render the mail; without a `token` there is no undo."""
    undo = _(
        "If it was not you, undo it until %(until)s: that disconnects Strava, signs "
        "everybody out, and calls off a deletion.",
        until=format_moment(until, zone=zone),
    )
    sign_in = _(
        "If it was not you, undo the change of the address with the mail that told you "
        "of it, or sign in and disconnect Strava in your settings."
    )
    return render_notice(
        context,
        Notice(
            subject=_("Strava is now linked to your Moodmiles account"),
            preheader=_("If that was you, there is nothing to do."),
            heading=_("A Strava account was linked"),
            body=[
                _("Whoever signs in at Strava with it is signed in to your account."),
                sign_in if token is None else undo,
            ],
            button=None
            if token is None
            else Button(
                _("Undo the change"), f"{context.public_url}/address/undo/{token}"
            ),
            note=[_("If it was you, there is nothing to do.")],
            reason=[_("You get this once for each Strava account that is linked.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.STRAVA_LINKED,
    render=render,
    is_about_account=True,
    ignores_bounce=True,
)
