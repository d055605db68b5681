"""What every mail is made of: a message, and the pieces that several share.  Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.mail.templates import compose

MOODS = (
    (1, "😞", "Awful"),
    (2, "😔", "Low"),
    (3, "😐", "OK"),
    (4, "😊", "Good"),
    (5, "😄", "Great"),
)


PICTURE_ID = "week@moodmiles"


@dataclass(frozen=True, slots=True)
class Message:
    """What a reader sees; `unsubscribe_url` where one click must stop the kind."""

    subject: str
    html: str
    text: str
    unsubscribe_url: str | None = None
    picture: bytes | None = None  # shown where the HTML names PICTURE_ID


@dataclass(frozen=True, slots=True)
class Sending:
    """What is known only when the mail goes out."""

    public_url: str
    now: datetime
    stale_at: datetime


def in_order(reversed_order: bool) -> list[tuple[int, str, str]]:
    return list(reversed(MOODS)) if reversed_order else list(MOODS)


def asking(
    kind: str,
    sending: Sending,
    *,
    subject: str,
    unsubscribe_token: str,
    only: str = "",
    **values: Any,
) -> Message:
    """Write a mail that the runner may stop with one click, or `only` its kind."""
    runner_url = f"{sending.public_url}/u/{unsubscribe_token}"
    stop_url = f"{runner_url}?only={only}" if only else runner_url
    message = plain(
        kind,
        sending,
        subject=subject,
        stop_url=stop_url,
        settings_url=f"{runner_url}/settings",
        **values,
    )
    return Message(message.subject, message.html, message.text, stop_url)


def plain(kind: str, sending: Sending, *, subject: str, **values: Any) -> Message:
    html, text = compose(kind, subject=subject, public_url=sending.public_url, **values)
    return Message(subject, html, text)
