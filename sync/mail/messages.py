"""What each mail says: plain values in, subject, HTML and text out.  Pure."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError, validate_call

from sync.errors import MoodmilesError
from sync.language import (
    DEFAULT_LANGUAGE,
    activate_language,
    current_language,
    translatable,
)
from sync.language import gettext as _
from sync.mail import account_mails
from sync.mail.formatting import (
    describe_week,
    format_distance,
    format_moment,
    format_occasion,
    summarize_week,
)
from sync.mail.message import (
    PICTURE_CONTENT_ID,
    Message,
    RenderContext,
    list_mood_choices,
    unsubscribable,
)
from sync.mail.week_picture import PictureDay, draw_week

__all__ = [
    "InvalidMail",
    "Message",
    "RenderContext",
    "check_mail_values",
    "render_mail",
]

# What the settings behind the mail offer to choose; the runner still has to save.
FREQUENCY_CHOICES = (
    ("every-run", translatable("Keep asking after every run")),
    ("every-other-run", translatable("Every other run")),
    ("weekly", translatable("Once a week")),
    ("long-runs", translatable("Only long runs")),
)


class InvalidMail(MoodmilesError):
    """No mail is called that, or it was promised without what it must say."""


@validate_call
def render_survey(  # noqa: PLR0913
    context: RenderContext,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    run_started_at: datetime | None = None,
    distance_m: float | None = None,
    units: Literal["km", "mi"] = "km",
    reversed_order: bool = False,
) -> Message:
    """Ask how the runner feels after a run.

    Leave `run_started_at` or `distance_m` out and the mail says neither.
    """
    when = run_started_at and format_occasion(
        run_started_at, now=context.now, zone=zone
    )
    subject = (
        _("Your run %(when)s: how do you feel?", when=when)
        if when
        else _("A quick question about your run")
    )
    return unsubscribable(
        "survey",
        context,
        subject=subject,
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=format_moment(expires_at, zone=zone),
        when=when,
        distance=distance_m and format_distance(distance_m, units=units),
        moods=list_mood_choices(reversed_order),
    )


@validate_call
def render_survey_reminder(  # noqa: PLR0913
    context: RenderContext,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    run_started_at: datetime | None = None,
    reversed_order: bool = False,
) -> Message:
    """Ask once more, and say that it is the last time."""
    when = run_started_at and format_occasion(
        run_started_at, now=context.now, zone=zone
    )
    return unsubscribable(
        "survey_reminder",
        context,
        subject=_("Still open: how do you feel after your run?"),
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=format_moment(expires_at, zone=zone),
        when=when,
        moods=list_mood_choices(reversed_order),
    )


@validate_call
def render_checkin(  # noqa: PLR0913
    context: RenderContext,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    reversed_order: bool = False,
) -> Message:
    """Ask how the runner feels on a random day, whatever they did on it."""
    return unsubscribable(
        "checkin",
        context,
        subject=_("A quick check-in: how do you feel?"),
        token=token,
        unsubscribe_token=unsubscribe_token,
        only="checkins",
        until=format_moment(expires_at, zone=zone),
        moods=list_mood_choices(reversed_order),
    )


@validate_call
def render_slow_down_question(
    context: RenderContext, *, unsubscribe_token: str, unanswered: int = 5
) -> Message:
    """Ask, after several unanswered surveys, how often to go on."""
    return unsubscribable(
        "slow_down_question",
        context,
        subject=_("Shall we keep asking after your runs?"),
        unsubscribe_token=unsubscribe_token,
        unanswered=unanswered,
        choices=[(frequency, _(label)) for frequency, label in FREQUENCY_CHOICES],
    )


@validate_call
def render_digest(  # noqa: PLR0913
    context: RenderContext,
    *,
    distances_m: list[float],
    moods: list[list[int]],
    runs: int,
    sentence: str | dict[str, str],
    unsubscribe_token: str,
    units: Literal["km", "mi"] = "km",
    first_weekday: int = 0,
) -> Message:
    """Look back on last week; it holds distances, since that is what it is for.

    `sentence` is what the figures said then, in each of our languages.
    """
    days = [PictureDay(*day) for day in zip(distances_m, moods, strict=True)]
    message = unsubscribable(
        "digest",
        context,
        subject=_("Your week with Moodmiles"),
        unsubscribe_token=unsubscribe_token,
        only="digest",
        summary=summarize_week(runs, distances_m, moods, units=units),
        described=describe_week(
            distances_m, moods, units=units, first_weekday=first_weekday
        ),
        sentence=sentence
        if isinstance(sentence, str)
        else _select_translation(sentence),
        picture_id=PICTURE_CONTENT_ID,
    )
    return replace(message, picture=draw_week(days, first_weekday=first_weekday))


def _select_translation(translations: Mapping[str, str]) -> str:
    return translations.get(current_language()) or translations[DEFAULT_LANGUAGE]


_RENDERERS: Mapping[str, Callable[..., Message]] = {
    "survey": render_survey,
    "survey_reminder": render_survey_reminder,
    "checkin": render_checkin,
    "slow_down_question": render_slow_down_question,
    "digest": render_digest,
    "confirm_address": account_mails.render_confirm_address,
    "sign_in_link": account_mails.render_sign_in_link,
    "reconnect": account_mails.render_reconnect,
    "export_ready": account_mails.render_export_ready,
    "disconnected": account_mails.render_disconnected,
    "deleted": account_mails.render_deleted,
    "undo": account_mails.render_undo,
    "inactive": account_mails.render_inactive,
    "agree_again": account_mails.render_agree_again,
}


def check_mail_values(kind: str, values: Mapping[str, Any]) -> None:
    """Raise `UnknownMail` unless a mail of this kind can be made of `values`."""
    if kind not in _RENDERERS:
        raise InvalidMail(f"There is no mail of the kind {kind}.")
    try:
        inspect.signature(_RENDERERS[kind]).bind(None, **values)
    except TypeError as error:
        raise InvalidMail(f"A mail of the kind {kind}: {error}.") from None


def render_mail(
    kind: str, values: Mapping[str, Any], context: RenderContext
) -> Message:
    """Write the mail of this kind in its reader's language, or raise `UnknownMail`."""
    check_mail_values(kind, values)
    try:
        with activate_language(context.language or current_language()):
            return _RENDERERS[kind](context, **values)
    except ValidationError as error:
        invalid_names = ", ".join(str(item["loc"][-1]) for item in error.errors())
        raise InvalidMail(
            f"A mail of the kind {kind} cannot use its {invalid_names}."
        ) from None
