"""The forms that several mails share: the notice, the question, the foot.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.language import gettext as _
from sync.mail.formatting import MOOD_LABELS
from sync.mail.message import RenderContext, RenderedMail
from sync.mail.templates import render_templates
from sync.vocabulary import MailKind

# Awful to Great, as the tiles in a mail count them.
_MOOD_EMOJI = ("😞", "😔", "😐", "😊", "😄")


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


def list_mood_choices(reversed_order: bool) -> list[tuple[int, str, str]]:
    """Return number, face and word of the five answers, Awful first or last."""
    mood_choices = [
        (number, emoji, _(label))
        for number, (emoji, label) in enumerate(
            zip(_MOOD_EMOJI, MOOD_LABELS.values(), strict=True), start=1
        )
    ]
    return mood_choices[::-1] if reversed_order else mood_choices


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
