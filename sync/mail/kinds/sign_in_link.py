"""Carries the link that signs a runner in."""

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_duration
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(context: RenderContext, *, token: str) -> RenderedMail:
    validity = format_duration(context.stale_at - context.now)
    return render_notice(
        context,
        Notice(
            subject=_("Your sign-in link for Moodmiles"),
            preheader=_("Open it in the browser where you asked for it."),
            heading=_("Sign in to Moodmiles"),
            body=[_("Open this in the same browser where you asked for it.")],
            link_intro=_("Open this in the same browser where you asked for it:"),
            button=Button(_("Sign in"), f"{context.public_url}/login/{token}"),
            note=[
                _("The link works once, for %(life)s.", life=validity),
                _(
                    "If you did not ask for it, do nothing: nobody can sign in "
                    "without this mail."
                ),
            ],
            reason=[
                _(
                    "You get this because somebody entered this address to sign in "
                    "to Moodmiles."
                )
            ],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.SIGN_IN_LINK,
    render=render,
    is_about_account=True,
    ignores_bounce=True,
)
