"""Says that Strava no longer gives access, and how to connect again."""

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
            subject=_("Moodmiles can no longer see your runs"),
            preheader=_(
                "Strava no longer lets us read them. Connecting again takes a minute."
            ),
            heading=_("We can no longer see your runs"),
            body=[
                _(
                    "Strava no longer accepts our connection to your account, so new "
                    "runs do not arrive here and no questions go out. Your answers are "
                    "safe."
                )
            ],
            button=Button(
                _("Connect with Strava again"), f"{context.public_url}/connect"
            ),
            note=[
                _("If you took the permission away yourself, there is nothing to do.")
            ],
            reason=[
                _(
                    "You get this because your Moodmiles account is connected to "
                    "Strava."
                ),
                _("We send it once."),
            ],
        ),
    )


SPEC = MailSpec(kind=MailKind.RECONNECT, render=render)
