"""Asks once more about a run, and says that it is the last time."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_moment, format_occasion
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
    run_started_at: datetime | None = None,
    reversed_order: bool = False,
) -> RenderedMail:
    when = run_started_at and format_occasion(
        run_started_at, now=context.now, zone=zone
    )
    return render_stoppable(
        MailKind.SURVEY_REMINDER,
        context,
        subject=_("Still open: how do you feel after your run?"),
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=format_moment(expires_at, zone=zone),
        when=when,
        moods=list_mood_choices(reversed_order),
    )


SPEC = MailSpec(
    kind=MailKind.SURVEY_REMINDER,
    render=render,
    respects_quiet_hours=True,
    may_name_contacts=True,
    question=MailQuestion(SurveyKind.RUN, is_reminder=True),
)
