"""Looks back on last week: a picture, a summary, and what the figures say."""

from dataclasses import replace

from pydantic import validate_call

from sync.language import DEFAULT_LANGUAGE, current_language
from sync.language import gettext as _
from sync.mail.formatting import describe_week, summarize_week
from sync.mail.layouts import render_stoppable
from sync.mail.message import (
    PICTURE_CONTENT_ID,
    MailSpec,
    RenderContext,
    RenderedMail,
)
from sync.mail.week_picture import PictureDay, draw_week
from sync.vocabulary import DistanceUnit, MailKind


@validate_call
def render(  # noqa: PLR0913
    context: RenderContext,
    *,
    distances_m: list[float],
    moods: list[list[int]],
    runs: int,
    sentence: str | dict[str, str],
    unsubscribe_token: str,
    units: DistanceUnit = DistanceUnit.KM,
    first_weekday: int = 0,
) -> RenderedMail:
    """Name distances, since that is what the mail is for.

    `distances_m` and `moods` have one entry a day; `sentence` is what the figures
    said when the mail was enqueued, by language.
    """
    if not isinstance(sentence, str):
        sentence = sentence.get(current_language()) or sentence[DEFAULT_LANGUAGE]
    days = [PictureDay(*day) for day in zip(distances_m, moods, strict=True)]
    message = render_stoppable(
        MailKind.DIGEST,
        context,
        subject=_("Your week with Moodmiles"),
        unsubscribe_token=unsubscribe_token,
        stoppable_part=SPEC.stoppable_part,
        summary=summarize_week(runs, distances_m, moods, units=units),
        described=describe_week(
            distances_m, moods, units=units, first_weekday=first_weekday
        ),
        sentence=sentence,
        picture_id=PICTURE_CONTENT_ID,
    )
    return replace(message, picture=draw_week(days, first_weekday=first_weekday))


SPEC = MailSpec(
    kind=MailKind.DIGEST,
    render=render,
    respects_quiet_hours=True,
    may_name_contacts=True,
    stoppable_part="digest",
)
