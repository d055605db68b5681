"""Asks how the runner feels on a random day, whatever they did on it."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_moment
from sync.mail.layouts import list_mood_choices, render_stoppable
from sync.mail.message import MailQuestion, MailSpec, RenderContext, RenderedMail
from sync.vocabulary import MailKind, SurveyKind


@validate_call
def render(  # noqa: PLR0913
    context: RenderContext,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    reversed_order: bool = False,
) -> RenderedMail:
    return render_stoppable(
        MailKind.CHECKIN,
        context,
        subject=_("A quick check-in: how do you feel?"),
        token=token,
        unsubscribe_token=unsubscribe_token,
        stoppable_part=SPEC.stoppable_part,
        until=format_moment(expires_at, zone=zone),
        moods=list_mood_choices(reversed_order),
    )


SPEC = MailSpec(
    kind=MailKind.CHECKIN,
    render=render,
    respects_quiet_hours=True,
    may_name_contacts=True,
    question=MailQuestion(SurveyKind.CHECKIN),
    stoppable_part="checkins",
)
