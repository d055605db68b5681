"""Tells an address that its account went back to the one before."""

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.layouts import Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(context: RenderContext) -> RenderedMail:
    return render_notice(
        context,
        Notice(
            subject=_("Your Moodmiles account is back at its former address"),
            preheader=_("The change to this address was undone."),
            heading=_("The change was undone"),
            body=[
                _(
                    "Whoever reads the former address of your Moodmiles account undid "
                    "the change to this one. This address gets no more questions and "
                    "signs nobody in, and everybody was signed out."
                ),
                _(
                    "If that was not you, sign in by Strava and give an address that "
                    "only you can read."
                ),
            ],
            reason=[_("You get this once for each change of the address.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.ADDRESS_RESTORED,
    render=render,
    is_about_account=True,
    ignores_bounce=True,
)
