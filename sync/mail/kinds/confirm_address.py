"""Asks for a tap that confirms a new address for the account that it names."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import describe_account, format_duration
from sync.mail.layouts import Button, Notice, render_notice
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind


@validate_call
def render(  # noqa: PLR0913
    context: RenderContext,
    *,
    token: str,
    member_since: datetime | None = None,
    runs: int = 0,
    is_linked: bool = False,
    browser: str = "",
) -> RenderedMail:
    validity = format_duration(context.stale_at - context.now)
    return render_notice(
        context,
        Notice(
            subject=_("Confirm your address for Moodmiles"),
            preheader=_("One tap, and your surveys can reach you."),
            heading=_("Is this your address?"),
            body=[
                _(
                    "Somebody, most likely you, gave this address to Moodmiles so that "
                    "a short question can reach you after your runs."
                ),
                # A mail that waited for an update says less of the account.
                *(
                    [
                        describe_account(
                            member_since=member_since,
                            runs=runs,
                            is_linked=is_linked,
                            browser=browser,
                        )
                    ]
                    if member_since
                    else []
                ),
                _(
                    "A yes lets this address sign in to that account, and sends that "
                    "account's questions here. If the account is not yours, do not "
                    "confirm."
                ),
            ],
            button=Button(
                _("Look, and say yes there"),
                f"{context.public_url}/email/confirm/{token}",
            ),
            note=[
                _("The link works once, for %(life)s.", life=validity),
                _("If it was not you, do nothing: we will not write again."),
            ],
            reason=[_("You get this because this address was entered at Moodmiles.")],
        ),
    )


SPEC = MailSpec(
    kind=MailKind.CONFIRM_ADDRESS,
    render=render,
    is_about_account=True,
)
