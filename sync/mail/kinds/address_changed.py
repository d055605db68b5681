"""Tells an address that its account has left it, and how to undo that."""

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
        "If it was not you, undo it until %(until)s: that brings the address back, "
        "signs everybody out, and calls off a deletion.",
        until=format_moment(until, zone=zone),
    )
    sign_in = _(
        "If it was not you, sign in as you did before this address was confirmed, and "
        "look in your settings who else is signed in."
    )
    return render_notice(
        context,
        Notice(
            subject=_("Your Moodmiles account no longer uses this address"),
            preheader=_("If that was you, there is nothing to do."),
            heading=_("This address was changed or removed"),
            body=[
                _(
                    "Your Moodmiles account has another address now, or none. This one "
                    "gets no more questions and signs nobody in."
                ),
                sign_in if token is None else undo,
            ],
            button=None
            if token is None
            else Button(
                _("Undo the change"), f"{context.public_url}/address/undo/{token}"
            ),
            note=[_("If it was you, there is nothing to do.")],
            reason=[_("You get this once for each change of the address.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.ADDRESS_CHANGED,
    render=render,
    is_about_account=True,
    ignores_bounce=True,
)
