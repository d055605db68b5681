"""Asks how the runner feels after a run."""

from datetime import datetime

from pydantic import validate_call

from sync.language import gettext as _
from sync.mail.formatting import format_distance, format_moment, format_occasion
from sync.mail.layouts import list_mood_choices, render_stoppable
from sync.mail.message import MailQuestion, MailSpec, RenderContext, RenderedMail
from sync.vocabulary import DistanceUnit, MailKind, SurveyKind


@validate_call
def render(  # noqa: PLR0913
    context: RenderContext,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    run_started_at: datetime | None = None,
    distance_m: float | None = None,
    units: DistanceUnit = DistanceUnit.KM,
    reversed_order: bool = False,
) -> RenderedMail:
    """Name the run by its start and distance, or by neither if they are left out."""
    when = run_started_at and format_occasion(
        run_started_at, now=context.now, zone=zone
    )
    subject = (
        _("Your run %(when)s: how do you feel?", when=when)
        if when
        else _("A quick question about your run")
    )
    return render_stoppable(
        MailKind.SURVEY,
        context,
        subject=subject,
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=format_moment(expires_at, zone=zone),
        when=when,
        distance=distance_m and format_distance(distance_m, units=units),
        moods=list_mood_choices(reversed_order),
    )


SPEC = MailSpec(
    kind=MailKind.SURVEY,
    render=render,
    respects_quiet_hours=True,
    may_name_contacts=True,
    question=MailQuestion(SurveyKind.RUN),
)
