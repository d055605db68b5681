"""What each mail says: plain values in, subject, HTML and text out.  Pure."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError, validate_call

from sync.errors import MoodmilesError
from sync.mail.templates import compose
from sync.mail.wording import distance, moment, occasion, span

MOODS = (
    (1, "😞", "Awful"),
    (2, "🙁", "Low"),
    (3, "😐", "OK"),
    (4, "🙂", "Good"),
    (5, "😄", "Great"),
)
# What `/settings?ask=...` offers to choose; the runner still has to save it.
CHOICES = (
    ("every-run", "Keep asking after every run"),
    ("every-other-run", "Every other run"),
    ("long-runs", "Only long runs"),
)


class UnknownMail(MoodmilesError):
    """No mail is called that, or it was promised without what it must say."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a reader sees; `unsubscribe_url` where one click must stop the kind."""

    subject: str
    html: str
    text: str
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """What is known only when the mail goes out."""

    public_url: str
    now: datetime
    stale_at: datetime


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
        f"Your run {when}: how do you feel?"
        if when
        else "A quick question about your run"
    )
    return _asking(
        "survey",
        sending,
        subject=subject,
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=moment(expires_at, zone=zone),
        when=when,
        distance=distance_m and distance(distance_m, units=units),
        moods=_in_order(reversed_order),
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
    return _asking(
        "survey_reminder",
        sending,
        subject="Still open: how do you feel after your run?",
        token=token,
        unsubscribe_token=unsubscribe_token,
        until=moment(expires_at, zone=zone),
        when=when,
        moods=_in_order(reversed_order),
    )


@validate_call
def slow_down_question(
    sending: Sending, *, unsubscribe_token: str, unanswered: int = 5
) -> Message:
    """Ask, after several unanswered surveys, how often to go on."""
    return _asking(
        "slow_down_question",
        sending,
        subject="Shall we keep asking after your runs?",
        unsubscribe_token=unsubscribe_token,
        unanswered=unanswered,
        choices=CHOICES,
    )


@validate_call
def confirm_address(sending: Sending, *, token: str) -> Message:
    return _plain(
        "confirm_address",
        sending,
        subject="Confirm your address for Moodmiles",
        link=f"{sending.public_url}/email/confirm/{token}",
        life=span(sending.stale_at - sending.now),
    )


@validate_call
def sign_in_link(sending: Sending, *, token: str) -> Message:
    return _plain(
        "sign_in_link",
        sending,
        subject="Your sign-in link for Moodmiles",
        link=f"{sending.public_url}/login/{token}",
        life=span(sending.stale_at - sending.now),
    )


@validate_call
def reconnect(sending: Sending) -> Message:
    """Say that Strava no longer lets us in, and how to mend it."""
    return _plain(
        "reconnect",
        sending,
        subject="Moodmiles can no longer see your runs",
        link=f"{sending.public_url}/connect",
    )


@validate_call
def disconnected(sending: Sending) -> Message:
    """Confirm that Strava is disconnected and its data gone."""
    return _plain(
        "disconnected",
        sending,
        subject="Strava is disconnected from Moodmiles",
        link=f"{sending.public_url}/settings",
    )


@validate_call
def deleted(sending: Sending) -> Message:
    """Confirm that everything about the runner is gone."""
    return _plain("deleted", sending, subject="Your Moodmiles data is deleted")


_KINDS: Mapping[str, Callable[..., Message]] = {
    "survey": survey,
    "survey_reminder": survey_reminder,
    "slow_down_question": slow_down_question,
    "confirm_address": confirm_address,
    "sign_in_link": sign_in_link,
    "reconnect": reconnect,
    "disconnected": disconnected,
    "deleted": deleted,
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
    """Write the mail of this kind, or raise `UnknownMail`."""
    check(kind, values)
    try:
        return _KINDS[kind](sending, **values)
    except ValidationError as error:
        wrong = ", ".join(str(item["loc"][-1]) for item in error.errors())
        raise UnknownMail(
            f"A mail of the kind {kind} cannot use its {wrong}."
        ) from None


def _in_order(reversed_order: bool) -> list[tuple[int, str, str]]:
    return list(reversed(MOODS)) if reversed_order else list(MOODS)


def _asking(
    kind: str, sending: Sending, *, subject: str, unsubscribe_token: str, **values: Any
) -> Message:
    """Write a mail that the runner may stop with one click."""
    stop_url = f"{sending.public_url}/u/{unsubscribe_token}"
    message = _plain(kind, sending, subject=subject, stop_url=stop_url, **values)
    return Message(message.subject, message.html, message.text, stop_url)


def _plain(kind: str, sending: Sending, *, subject: str, **values: Any) -> Message:
    html, text = compose(kind, subject=subject, public_url=sending.public_url, **values)
    return Message(subject, html, text)
