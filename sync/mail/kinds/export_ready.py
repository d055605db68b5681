"""Says that the runner's data is packed; the page behind it asks to sign in."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_moment
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(
    context: RenderContext, *, expires_at: datetime, zone: str = "UTC"
) -> RenderedMail:
    return render_notice(
        context,
        Notice(
            subject=_("Your Moodmiles data is ready to download"),
            preheader=_("One ZIP file with everything that we hold about you."),
            heading=_("Your data is packed"),
            body=[
                _(
                    "You asked for everything that we hold about you. It is one ZIP "
                    "file, ready until %(until)s; after that it is deleted and you can "
                    "ask again.",
                    until=format_moment(expires_at, zone=zone),
                )
            ],
            button=Button(
                _("Go to your download"), f"{context.public_url}/settings/export"
            ),
            note=[
                _(
                    "The page asks you to sign in first: nobody who only has this mail "
                    "can open the file. If it was not you who asked, sign in and look "
                    "who else is."
                )
            ],
            reason=[_("You get this once for each export.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.EXPORT_READY,
    render=render,
    is_about_account=True,
)
