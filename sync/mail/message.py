"""What every mail is made of: a message, and the pieces that several share.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.language import gettext as _
from sync.mail.formatting import MOOD_LABELS
from sync.mail.templates import render_templates

# Awful to Great, as the tiles in a mail count them.
_MOOD_EMOJI = ("😞", "😔", "😐", "😊", "😄")

PICTURE_CONTENT_ID = "week@moodmiles"


@dataclass(frozen=True, slots=True)
class Message:
    """What a reader sees; `unsubscribe_url` where one click must stop the kind."""

    subject: str
    html: str
    text: str
    unsubscribe_url: str | None = None
    picture: bytes | None = None  # shown where the HTML names PICTURE_ID


@dataclass(frozen=True, slots=True)
class FooterContact:
    """Somebody to talk to, for the foot of a mail."""

    name: str
    reach: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What is known only when the mail goes out; `people` stand in its foot."""

    public_url: str
    now: datetime
    stale_at: datetime
    language: str = ""
    contacts: Sequence[FooterContact] = ()


def list_mood_choices(reversed_order: bool) -> list[tuple[int, str, str]]:
    """Return number, face and word of the five answers, Awful first or last."""
    mood_choices = [
        (number, emoji, _(label))
        for number, (emoji, label) in enumerate(
            zip(_MOOD_EMOJI, MOOD_LABELS.values(), strict=True), start=1
        )
    ]
    return mood_choices[::-1] if reversed_order else mood_choices


def unsubscribable(
    kind: str,
    context: RenderContext,
    *,
    subject: str,
    unsubscribe_token: str,
    only: str = "",
    **values: Any,
) -> Message:
    """Write a mail that the runner may stop with one click, or `only` its kind."""
    runner_url = f"{context.public_url}/u/{unsubscribe_token}"
    stop_url = f"{runner_url}?only={only}" if only else runner_url
    message = transactional(
        kind,
        context,
        subject=subject,
        stop_url=stop_url,
        settings_url=f"{runner_url}/settings",
        **values,
    )
    return Message(message.subject, message.html, message.text, stop_url)


def transactional(
    kind: str, context: RenderContext, *, subject: str, **values: Any
) -> Message:
    html, text = render_templates(
        kind,
        subject=subject,
        public_url=context.public_url,
        people=context.contacts,
        **values,
    )
    return Message(subject, html, text)
