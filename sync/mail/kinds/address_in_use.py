"""Says that another account asked for this address, which stays where it is."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import describe_account
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(
    context: RenderContext,
    *,
    member_since: datetime,
    runs: int = 0,
    is_linked: bool = False,
    browser: str = "",
) -> RenderedMail:
    return render_notice(
        context,
        Notice(
            subject=_("Your address stays with your Moodmiles account"),
            preheader=_("It was entered for another account; nothing was changed."),
            heading=_("Nothing was changed"),
            body=[
                _(
                    "Somebody entered this address for another account at Moodmiles. "
                    "It belongs to yours, so we did nothing."
                ),
                describe_account(
                    member_since=member_since,
                    runs=runs,
                    is_linked=is_linked,
                    browser=browser,
                ),
                _(
                    "If both accounts are yours and you want the address there: sign "
                    "in with it here, take back e-mails in your settings, wait seven "
                    "days, and enter it there again."
                ),
            ],
            button=Button(_("Open your settings"), f"{context.public_url}/settings"),
            note=[_("If it was not you, there is nothing to do.")],
            reason=[_("You get this because this address was entered at Moodmiles.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.ADDRESS_IN_USE,
    render=render,
    is_about_account=True,
)
