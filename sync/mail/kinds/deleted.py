"""Confirms that everything about the runner is deleted."""

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.layouts import Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(context: RenderContext) -> RenderedMail:
    receipt = [
        _("Your runs, answers, settings and this address are deleted from Moodmiles."),
        _("Nothing is left to restore."),
    ]
    return render_notice(
        context,
        Notice(
            subject=_("Your Moodmiles data is deleted"),
            preheader=_("Runs, answers, settings and this address: all gone."),
            heading=_("Everything is deleted"),
            body=[" ".join(receipt), _("Thank you for trying it.")],
            reason=[
                _(
                    "You get this once, as a receipt. We do not have your address any "
                    "more."
                )
            ],
        ),
    )


SPEC = MailSpec(kind=MailKind.DELETED, render=render, is_about_account=True)
