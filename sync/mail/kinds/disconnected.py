"""Confirms that Strava is disconnected and its data deleted."""

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
            subject=_("Strava is disconnected from Moodmiles"),
            preheader=_(
                "The runs that came from Strava are deleted; your answers stay."
            ),
            heading=_("Strava is disconnected"),
            body=[
                _(
                    "The connection to your Strava account has ended, and the runs "
                    "that came from Strava are deleted here. Your answers are yours "
                    "and stay until you delete them."
                )
            ],
            button=Button(_("Open your settings"), f"{context.public_url}/settings"),
            reason=[_("You get this once, as a receipt.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.DISCONNECTED,
    render=render,
    is_about_account=True,
)
