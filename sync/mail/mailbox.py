"""Reads the embedded mailbox, which takes the mails where no server is set up."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from mailbox import Maildir
from pathlib import Path

MAX_LISTED = 200

_ARRIVAL_PATTERN = re.compile(r"(\d+)\.(?:M(\d+))?(?:P\d+)?(?:Q(\d+))?")


@dataclass(frozen=True, slots=True)
class ReceivedEmail:
    """A mail in the mailbox; `key` is its name in the folder."""

    key: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str

    @property
    def searchable(self) -> str:
        """The text that a search compares, in lower case."""
        return f"{self.sender} {self.recipient} {self.subject} {self.text}".lower()


class Mailbox:
    """A Maildir that another process fills; one that does not exist yet is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_emails(self, query: str = "") -> list[ReceivedEmail]:
        """Return the mails that hold the words of `query`, newest first."""
        maildir = self._open_maildir()
        if maildir is None:
            return []
        words = query.lower().split()
        newest_first = sorted(maildir.keys(), key=_parse_arrival, reverse=True)
        emails = (_read_email(maildir, key) for key in newest_first)
        matching = (
            email
            for email in emails
            if email is not None and all(word in email.searchable for word in words)
        )
        return list(islice(matching, MAX_LISTED))

    def load_email(self, key: str) -> ReceivedEmail | None:
        """Return a mail, or None if there is none of that name (any more)."""
        maildir = self._open_maildir()
        return None if maildir is None else _read_email(maildir, key)

    def clear(self) -> None:
        """Delete every mail."""
        maildir = self._open_maildir()
        if maildir is not None:
            maildir.clear()

    def _open_maildir(self) -> Maildir | None:
        if not (self._folder / "new").is_dir():
            return None
        return Maildir(self._folder, create=False)


def _read_email(maildir: Maildir, key: str) -> ReceivedEmail | None:
    try:
        source = maildir.get_bytes(key)
    except (KeyError, OSError):  # gone meanwhile, or unreadable
        return None
    message = message_from_bytes(source, policy=policy.default)
    headers = tuple((name, str(value)) for name, value in message.items())
    return ReceivedEmail(
        key=key,
        received_at=datetime.fromtimestamp(_parse_arrival(key)[0], UTC),
        sender=str(message.get("From", "")),
        recipient=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        headers=headers,
        text=_get_body(message, "plain"),
        html=_get_body(message, "html"),
    )


def _get_body(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except LookupError:
        # The mail names a character set that does not exist.
        return bytes(body.get_payload(decode=True) or b"").decode(errors="replace")


def _parse_arrival(key: str) -> tuple[int, int, int]:
    """Return seconds, microseconds and number of a mail's arrival from its name."""
    name_match = _ARRIVAL_PATTERN.match(key)
    if name_match is None:
        return 0, 0, 0
    seconds, microseconds, number = (int(part or 0) for part in name_match.groups())
    return seconds, microseconds, number
