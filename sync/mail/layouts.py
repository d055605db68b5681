"""The forms that several mails share: the notice, the question, the foot.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.language import gettext as _
from sync.mail.formatting import MOOD_LABELS
from sync.mail.message import RenderContext, RenderedMail
from sync.mail.templates import render_templates
from sync.vocabulary import MailKind, Mood

_MOOD_EMOJI: Mapping[Mood, str] = {
    Mood.AWFUL: "😞",
    Mood.LOW: "😔",
    Mood.OK: "😐",
    Mood.GOOD: "😊",
    Mood.GREAT: "😄",
}


@dataclass(frozen=True, slots=True)
class Button:
    """A link that stands out, with what a tap on it does."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The words of a mail that says one thing and has at most one button.

    `body` is paragraphs.  `note` and `reason` (why the runner gets the mail) are
    sentences: they run on in the HTML, and stand one a line in the text.
    """

    subject: str
    preheader: str  # shown beside the subject in a list of mails
    heading: str
    body: Sequence[str]
    reason: Sequence[str]
    button: Button | None = None
    note: Sequence[str] = ()
    # Stands in the text for body and label, where the link must stand alone.
    link_intro: str | None = None


@dataclass(frozen=True, slots=True)
class MoodTile:
    """One of the five answers in a mail; `number` is 1 to 5, as its link has it."""

    number: int
    emoji: str
    label: str


def render_notice(context: RenderContext, notice: Notice) -> RenderedMail:
    """Render a mail that cannot be unsubscribed, since it is about the account."""
    return _render("notice", context, subject=notice.subject, notice=notice)


def render_stoppable(
    kind: MailKind,
    context: RenderContext,
    *,
    subject: str,
    unsubscribe_token: str,
    stoppable_part: str | None = None,
    **values: Any,
) -> RenderedMail:
    """Render a mail by the templates of its kind, with a link that stops it.

    With `stoppable_part`, the link turns off that preference, else all mails.
    """
    runner_url = f"{context.public_url}/u/{unsubscribe_token}"
    stop_url = f"{runner_url}?only={stoppable_part}" if stoppable_part else runner_url
    message = _render(
        kind,
        context,
        subject=subject,
        stop_url=stop_url,
        settings_url=f"{runner_url}/settings",
        **values,
    )
    return replace(message, unsubscribe_url=stop_url)


def list_mood_tiles(*, reversed_order: bool) -> list[MoodTile]:
    """Return the five answers, Awful first or, reversed, Great first."""
    tiles = [
        MoodTile(mood.tile, _MOOD_EMOJI[mood], _(MOOD_LABELS[mood])) for mood in Mood
    ]
    return tiles[::-1] if reversed_order else tiles


def _render(
    template: str, context: RenderContext, *, subject: str, **values: Any
) -> RenderedMail:
    html, text = render_templates(
        template,
        subject=subject,
        public_url=context.public_url,
        people=context.contacts,
        **values,
    )
    return RenderedMail(subject, html, text)
