"""What a mail is made of, and what a kind of mail declares about itself.  Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.errors import MoodmilesError
from sync.vocabulary import MailKind, SurveyKind

PICTURE_CONTENT_ID = "week@moodmiles"


class InvalidMail(MoodmilesError):
    """A mail was enqueued without what it must say, or with what it cannot say."""


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail as its reader sees it; `unsubscribe_url` if one click must stop it."""

    subject: str
    html: str
    text: str
    unsubscribe_url: str | None = None
    picture: bytes | None = None  # a PNG, shown where the HTML has PICTURE_CONTENT_ID


@dataclass(frozen=True, slots=True)
class FooterContact:
    """Somebody to talk to, for the foot of a mail."""

    name: str
    reach: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """The values known only when the mail goes out; `contacts` stand in its foot."""

    public_url: str
    now: datetime
    stale_at: datetime
    language: str = ""
    contacts: Sequence[FooterContact] = ()


@dataclass(frozen=True, slots=True)
class MailQuestion:
    """The kind of survey that a mail invites to, for the first time or once more."""

    survey: SurveyKind
    is_reminder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSpec:
    """A kind of mail: how it is rendered, and how the outbox must treat it.

    `render` takes a `RenderContext` and, by keyword, the values of the mail as JSON
    holds them; it is a `pydantic.validate_call`.
    """

    kind: MailKind
    render: Callable[..., RenderedMail]
    # Goes out at once, even while nothing may be collected about the runner.
    is_about_account: bool = False
    # Waits for the end of the runner's quiet hours.
    respects_quiet_hours: bool = False
    # May name people to talk to in its foot, after mostly low answers.
    may_name_contacts: bool = False
    # Goes out although an earlier mail bounced: someone waits for this one.
    ignores_bounce: bool = False
    # The survey that it asks to answer, if it does.
    question: MailQuestion | None = None
    # The preference that its unsubscribe link turns off; without one, all mails stop.
    stoppable_part: str | None = None

    @property
    def asks_about_run(self) -> bool:
        return self.question is not None and self.question.survey is SurveyKind.RUN

    @property
    def asks_first(self) -> bool:
        """Whether it is the mail with which a survey reaches its runner."""
        return self.question is not None and not self.question.is_reminder

    @property
    def is_reminder(self) -> bool:
        return self.question is not None and self.question.is_reminder
