"""The mail as it goes over the wire: its headers and its parts."""

from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from sync.mail.message import PICTURE_CONTENT_ID, RenderedMail
from sync.mail_address import MailSender
from sync.vocabulary import MailKind

# At the usual 78 characters Python folds List-Unsubscribe into an encoded word,
# and mail clients then ignore it.
_HEADERS = policy.SMTP.clone(max_line_length=998)
# What RFC 2045 allows: some servers encode longer lines anew, and break the mail.
_BODIES = policy.SMTP.clone(max_line_length=76)


def build_email(  # noqa: PLR0913
    message: RenderedMail,
    *,
    kind: MailKind,
    sender: MailSender,
    recipient: str,
    message_id: str,
    sent_at: datetime,
) -> EmailMessage:
    """Return the mail as it goes over the wire; `kind` is only a label in it."""
    email = EmailMessage(policy=_BODIES)
    email["From"] = sender.as_header()
    email["To"] = recipient
    email["Subject"] = message.subject
    email["Date"] = format_datetime(sent_at)
    email["Message-ID"] = message_id
    email["Auto-Submitted"] = "auto-generated"
    email["X-Auto-Response-Suppress"] = "All"
    email["Feedback-ID"] = f"{kind.replace('_', '-')}:v1:moodmiles"
    if message.unsubscribe_url:
        email["List-Id"] = f"Run surveys <surveys.{sender.host}>"
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
    email.policy = _HEADERS  # the bodies are written by now
    return email
