"""Says that everything will be deleted in a few minutes, and how to undo it."""

from datetime import datetime, timedelta

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
    # It waits as long as a change of the address can be undone.
    is_soon = until - context.now < timedelta(hours=1)
    return render_notice(
        context,
        Notice(
            subject=_("Your Moodmiles data will be deleted in a few minutes")
            if is_soon
            else _("Your Moodmiles data will be deleted in a few days"),
            preheader=_("It can be undone for ten minutes.")
            if is_soon
            else _("It can be undone until then."),
            heading=_("Everything goes in a few minutes")
            if is_soon
            else _("Everything goes in a few days"),
            body=[
                _(
                    "You asked us to delete your runs, your answers and this address. "
                    "That happens on %(until)s, and until then we ask, fetch and store "
                    "nothing.",
                    until=format_moment(until, zone=zone),
                )
            ],
            button=Button(
                _("Keep everything after all"), f"{context.public_url}/undo/{token}"
            ),
            note=[
                _(
                    "If you want it deleted, do nothing: a receipt follows. If it was "
                    "not you who asked, undo it here, then look in your settings who "
                    "else is signed in."
                )
            ],
            reason=[_("You get this once for each time that deletion is asked for.")],
        ),
    )


SPEC = MailSpec(kind=MailKind.UNDO, render=render, is_about_account=True)
