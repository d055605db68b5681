"""The embedded mailbox, read back: what newcomers see instead of a mail server."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from mailbox import Maildir
from pathlib import Path

MOST_LISTED = 200

_STAMP = re.compile(r"(\d+)\.(?:M(\d+))?(?:P\d+)?(?:Q(\d+))?")


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail that came in; `key` is its name in the folder."""

    key: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str


class Mailbox:
    """A Maildir that somebody else fills; one that is not there yet is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def letters(self, query: str = "") -> list[Letter]:
        """Return the mails that hold the words of `query`, newest first."""
        maildir = self._open()
        if maildir is None:
            return []
        words = query.lower().split()
        newest_first = sorted(maildir.keys(), key=_age, reverse=True)
        read = (_read(maildir, key) for key in newest_first)
        found = (letter for letter in read if letter and _holds(letter, words))
        return list(islice(found, MOST_LISTED))

    def letter(self, key: str) -> Letter | None:
        """Return one mail, or None if there is none of that name (any more)."""
        maildir = self._open()
        return None if maildir is None else _read(maildir, key)

    def clear(self) -> None:
        """Throw every mail away."""
        maildir = self._open()
        if maildir is not None:
            maildir.clear()

    def _open(self) -> Maildir | None:
        if not (self._folder / "new").is_dir():
            return None
        return Maildir(self._folder, create=False)


def _read(maildir: Maildir, key: str) -> Letter | None:
    try:
        source = maildir.get_bytes(key)
    except (KeyError, FileNotFoundError):
        return None
    message = message_from_bytes(source, policy=policy.default)
    headers = tuple((name, str(value)) for name, value in message.items())
    return Letter(
        key=key,
        received_at=datetime.fromtimestamp(_age(key)[0], UTC),
        sender=str(message.get("From", "")),
        recipient=str(message.get("To", "")),
        subject=str(message.get("Subject", "")),
        headers=headers,
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except LookupError:
        # The mail names a character set that does not exist.
        return bytes(body.get_payload(decode=True) or b"").decode(errors="replace")


def _holds(letter: Letter, words: list[str]) -> bool:
    everything = f"{letter.sender} {letter.recipient} {letter.subject} {letter.text}"
    return all(word in everything.lower() for word in words)


def _age(key: str) -> tuple[int, int, int]:
    """Return what a Maildir name says of when the mail came in."""
    stamp = _STAMP.match(key)
    if stamp is None:
        return 0, 0, 0
    seconds, microseconds, number = (int(part or 0) for part in stamp.groups())
    return seconds, microseconds, number
