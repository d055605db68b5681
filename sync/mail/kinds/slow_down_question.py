"""Asks, after several unanswered surveys, how often to go on."""

from pydantic import validate_call

from sync.language import gettext as _
from sync.language import translatable
from sync.mail.layouts import render_stoppable
from sync.mail.message import MailSpec, RenderContext, RenderedMail
from sync.vocabulary import AskFrequency, MailKind

# The settings behind the mail open with the choice; the runner still has to save.
_FREQUENCY_LABELS = {
    AskFrequency.EVERY_RUN: translatable("Keep asking after every run"),
    AskFrequency.EVERY_OTHER_RUN: translatable("Every other run"),
    AskFrequency.WEEKLY: translatable("Once a week"),
    AskFrequency.LONG_RUNS: translatable("Only long runs"),
}


@validate_call
def render(
    context: RenderContext, *, unsubscribe_token: str, unanswered: int = 5
) -> RenderedMail:
    return render_stoppable(
        MailKind.SLOW_DOWN_QUESTION,
        context,
        subject=_("Shall we keep asking after your runs?"),
        unsubscribe_token=unsubscribe_token,
        unanswered=unanswered,
        choices={frequency: _(label) for frequency, label in _FREQUENCY_LABELS.items()},
    )


SPEC = MailSpec(
    kind=MailKind.SLOW_DOWN_QUESTION,
    render=render,
    respects_quiet_hours=True,
    may_name_contacts=True,
)
