"""Says, after a year without a visit, that everything will be deleted in a month."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_moment
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(
    context: RenderContext, *, token: str, until: datetime, zone: str = "UTC"
) -> RenderedMail:
    return render_notice(
        context,
        Notice(
            subject=_("Shall we keep your Moodmiles data?"),
            preheader=_("Without a word from you, everything is deleted in a month."),
            heading=_("We have not seen you for a year"),
            body=[
                _(
                    "What nobody looks at should not lie around. Unless you tell us to "
                    "keep it, we delete your runs, your answers and this address after "
                    "%(until)s.",
                    until=format_moment(until, zone=zone),
                )
            ],
            button=Button(_("Keep my data"), f"{context.public_url}/stay/{token}"),
            note=[
                _(
                    "Signing in or answering a question keeps it, too. If you want it "
                    "deleted, do nothing: a receipt follows."
                )
            ],
            reason=[
                _(
                    "You get this once, because you have a Moodmiles account that "
                    "nobody has used for a year."
                )
            ],
        ),
    )


SPEC = MailSpec(kind=MailKind.INACTIVE, render=render, is_about_account=True)
