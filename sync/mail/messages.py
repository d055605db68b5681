"""What each mail says: plain values in, subject, HTML and text out.  Pure."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError, validate_call

from sync.errors import MoodmilesError
from sync.language import DEFAULT, speaking, spoken, translatable
from sync.language import gettext as _
from sync.mail import account_mails
from sync.mail.formatting import (
    distance,
    moment,
    occasion,
    week_described,
    week_summary,
)
from sync.mail.message import PICTURE_ID, Message, Sending, asking, in_order
from sync.mail.week_picture import Day, week_picture

__all__ = ["Message", "Sending", "UnknownMail", "check", "render"]

# What the settings behind the mail offer to choose; the runner still has to save.
CHOICES = (
    ("every-run", translatable("Keep asking after every run")),
    ("every-other-run", translatable("Every other run")),
    ("weekly", translatable("Once a week")),
    ("long-runs", translatable("Only long runs")),
)


class UnknownMail(MoodmilesError):
    """No mail is called that, or it was promised without what it must say."""


@validate_call
def survey(  # noqa: PLR0913
    sending: Sending,
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
    when = run_started_at and occasion(run_started_at, now=sending.now, zone=zone)
    subject = (
        _("Your run %(when)s: how do you feel?", when=when)
        if when
        else _("A quick question about your run")
    )
    return asking(
        "survey",
        sending,
        subject=subject,
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=moment(expires_at, zone=zone),
        when=when,
        distance=distance_m and distance(distance_m, units=units),
        moods=in_order(reversed_order),
    )


@validate_call
def survey_reminder(  # noqa: PLR0913
    sending: Sending,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    run_started_at: datetime | None = None,
    reversed_order: bool = False,
) -> Message:
    """Ask once more, and say that it is the last time."""
    when = run_started_at and occasion(run_started_at, now=sending.now, zone=zone)
    return asking(
        "survey_reminder",
        sending,
        subject=_("Still open: how do you feel after your run?"),
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=moment(expires_at, zone=zone),
        when=when,
        moods=in_order(reversed_order),
    )


@validate_call
def checkin(  # noqa: PLR0913
    sending: Sending,
    *,
    token: str,
    unsubscribe_token: str,
    expires_at: datetime,
    zone: str = "UTC",
    reversed_order: bool = False,
) -> Message:
    """Ask how the runner feels on a random day, whatever they did on it."""
    return asking(
        "checkin",
        sending,
        subject=_("A quick check-in: how do you feel?"),
        token=token,
        unsubscribe_token=unsubscribe_token,
        only="checkins",
        until=moment(expires_at, zone=zone),
        moods=in_order(reversed_order),
    )


@validate_call
def slow_down_question(
    sending: Sending, *, unsubscribe_token: str, unanswered: int = 5
) -> Message:
    """Ask, after several unanswered surveys, how often to go on."""
    return asking(
        "slow_down_question",
        sending,
        subject=_("Shall we keep asking after your runs?"),
        unsubscribe_token=unsubscribe_token,
        unanswered=unanswered,
        choices=[(ask, _(words)) for ask, words in CHOICES],
    )


@validate_call
def digest(  # noqa: PLR0913
    sending: Sending,
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
    days = [Day(*day) for day in zip(distances_m, moods, strict=True)]
    message = asking(
        "digest",
        sending,
        subject=_("Your week with Moodmiles"),
        unsubscribe_token=unsubscribe_token,
        only="digest",
        summary=week_summary(runs, distances_m, moods, units=units),
        described=week_described(
            distances_m, moods, units=units, first_weekday=first_weekday
        ),
        sentence=sentence if isinstance(sentence, str) else _in_language(sentence),
        picture_id=PICTURE_ID,
    )
    return replace(message, picture=week_picture(days, first_weekday=first_weekday))


def _in_language(said: Mapping[str, str]) -> str:
    return said.get(spoken()) or said[DEFAULT]


_KINDS: Mapping[str, Callable[..., Message]] = {
    "survey": survey,
    "survey_reminder": survey_reminder,
    "checkin": checkin,
    "slow_down_question": slow_down_question,
    "digest": digest,
    "confirm_address": account_mails.confirm_address,
    "sign_in_link": account_mails.sign_in_link,
    "reconnect": account_mails.reconnect,
    "export_ready": account_mails.export_ready,
    "disconnected": account_mails.disconnected,
    "deleted": account_mails.deleted,
    "undo": account_mails.undo,
    "inactive": account_mails.inactive,
    "agree_again": account_mails.agree_again,
}


def check(kind: str, values: Mapping[str, Any]) -> None:
    """Raise `UnknownMail` unless a mail of this kind can be made of `values`."""
    if kind not in _KINDS:
        raise UnknownMail(f"There is no mail of the kind {kind}.")
    try:
        inspect.signature(_KINDS[kind]).bind(None, **values)
    except TypeError as error:
        raise UnknownMail(f"A mail of the kind {kind}: {error}.") from None


def render(kind: str, values: Mapping[str, Any], sending: Sending) -> Message:
    """Write the mail of this kind in its reader's language, or raise `UnknownMail`."""
    check(kind, values)
    try:
        with speaking(sending.language or spoken()):
            return _KINDS[kind](sending, **values)
    except ValidationError as error:
        wrong = ", ".join(str(item["loc"][-1]) for item in error.errors())
        raise UnknownMail(
            f"A mail of the kind {kind} cannot use its {wrong}."
        ) from None
