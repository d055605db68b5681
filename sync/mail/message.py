"""What every mail is made of: a message, and the pieces that several share.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.language import gettext as _
from sync.mail.formatting import MOODS
from sync.mail.templates import compose

# Awful to Great, as the tiles in a mail count them.
_FACES = ("😞", "😔", "😐", "😊", "😄")

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
class Person:
    """Somebody to talk to, for the foot of a mail."""

    name: str
    reach: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """What is known only when the mail goes out; `people` stand in its foot."""

    public_url: str
    now: datetime
    stale_at: datetime
    language: str = ""
    people: Sequence[Person] = ()


def in_order(reversed_order: bool) -> list[tuple[int, str, str]]:
    """Return number, face and word of the five answers, Awful first or last."""
    found = [
        (place, face, _(word))
        for place, (face, word) in enumerate(
            zip(_FACES, MOODS.values(), strict=True), start=1
        )
    ]
    return found[::-1] if reversed_order else found


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
    html, text = compose(
        kind,
        subject=subject,
        public_url=sending.public_url,
        people=sending.people,
        **values,
    )
    return Message(subject, html, text)
