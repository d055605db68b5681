"""The mail as it goes over the wire: its headers and its parts."""

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from sync.mail.message import PICTURE_CONTENT_ID, RenderedMail
from sync.vocabulary import MailKind

# At the usual 78 characters Python folds List-Unsubscribe into an encoded word,
# and mail clients then ignore it.
_POLICY = policy.SMTP.clone(max_line_length=998)


def build_email(  # noqa: PLR0913
    message: RenderedMail,
    *,
    kind: MailKind,
    sender: str,
    recipient: str,
    message_id: str,
    sent_at: datetime,
) -> EmailMessage:
    """Return the mail as it goes over the wire; `kind` is only a label in it."""
    email = EmailMessage(policy=_POLICY)
    email["From"] = sender
    email["To"] = recipient
    email["Subject"] = message.subject
    email["Date"] = format_datetime(sent_at)
    email["Message-ID"] = message_id
    email["Auto-Submitted"] = "auto-generated"
    email["X-Auto-Response-Suppress"] = "All"
    email["Feedback-ID"] = f"{kind.replace('_', '-')}:v1:moodmiles"
    if message.unsubscribe_url:
        email["List-Id"] = f"Run surveys <surveys.{parse_host(sender)}>"
        email["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email.set_content(message.text, cte="quoted-printable")
    email.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.picture is not None:
        # Beside the HTML that shows it: nothing is fetched to see it.
        html = email.get_body(("html",))
        if isinstance(html, EmailMessage):
            cid = f"<{PICTURE_CONTENT_ID}>"
            html.add_related(message.picture, "image", "png", cid=cid)
    return email


def parse_address(sender: str) -> str:
    """Return the bare address of "Moodmiles <moodmiles@example.org>"."""
    return parseaddr(sender)[1]


def parse_host(sender: str) -> str:
    return parse_address(sender).partition("@")[2] or "localhost"
