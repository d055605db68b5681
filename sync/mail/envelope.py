"""A message in its envelope: the headers that mail servers judge us by."""

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from sync.mail.message import PICTURE_ID
from sync.mail.messages import Message

# At the usual 78 characters Python folds List-Unsubscribe into an encoded word,
# and mail clients then ignore it.
_POLICY = policy.SMTP.clone(max_line_length=998)


def seal_up(  # noqa: PLR0913
    message: Message,
    *,
    kind: str,
    sender: str,
    recipient: str,
    message_id: str,
    sent_at: datetime,
) -> EmailMessage:
    """Return the mail as it goes over the wire; `kind` is only a label in it."""
    letter = EmailMessage(policy=_POLICY)
    letter["From"] = sender
    letter["To"] = recipient
    letter["Subject"] = message.subject
    letter["Date"] = format_datetime(sent_at)
    letter["Message-ID"] = message_id
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter["Feedback-ID"] = f"{kind.replace('_', '-')}:v1:moodmiles"
    if message.unsubscribe_url:
        letter["List-Id"] = f"Run surveys <surveys.{host_of(sender)}>"
        letter["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    letter.set_content(message.text, cte="quoted-printable")
    letter.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.picture is not None:
        _enclose(letter, message.picture)
    return letter


def _enclose(letter: EmailMessage, picture: bytes) -> None:
    """Put the picture beside the HTML that shows it: nothing is fetched to see it."""
    for part in letter.iter_parts():
        if isinstance(part, EmailMessage) and part.get_content_subtype() == "html":
            part.add_related(picture, "image", "png", cid=f"<{PICTURE_ID}>")


def address_of(sender: str) -> str:
    """Return the bare address of "Moodmiles <moodmiles@example.org>"."""
    return parseaddr(sender)[1]


def host_of(sender: str) -> str:
    return address_of(sender).partition("@")[2] or "localhost"
