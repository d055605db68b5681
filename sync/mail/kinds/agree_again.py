"""Says that a text agreed to has changed, and that nothing happens until then."""

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(context: RenderContext) -> RenderedMail:
    return render_notice(
        context,
        Notice(
            subject=_("What you agreed to at Moodmiles has a new text"),
            preheader=_(
                "Until you have agreed again, we ask, fetch and store nothing."
            ),
            heading=_("The text that you agreed to has changed"),
            body=[
                _(
                    "There is a newer text about what we keep and why. Until you have "
                    "read it and agreed again, we ask, fetch and store nothing new "
                    "about you."
                )
            ],
            button=Button(
                _("Read it and decide"), f"{context.public_url}/settings/consents"
            ),
            note=[
                _(
                    "You can also take back what you agreed to there, download "
                    "everything, or delete it."
                )
            ],
            reason=[
                _(
                    "You get this once for each new text, because you have a Moodmiles "
                    "account."
                )
            ],
        ),
    )


SPEC = MailSpec(kind=MailKind.AGREE_AGAIN, render=render, is_about_account=True)
