"""The headers that mail servers and mail programs judge us by, as bytes."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from sync.mail.envelope import build_email, parse_host
from sync.mail.message import RenderedMail
from sync.vocabulary import MailKind

STOP = f"https://moodmiles.example/u/{'a-long-unsubscribe-token-' * 6}"
ASKING = RenderedMail("Wie geht’s?", "<p>😄</p>", "😄\n", unsubscribe_url=STOP)
PLAIN = RenderedMail("Sign in", "<p>Here</p>", "Here\n")


def build_email_bytes(message: RenderedMail) -> EmailMessage:
    return build_email(
        message,
        kind=MailKind.SURVEY_REMINDER,
        sender="Moodmiles <runs@mail.moodmiles.example>",
        recipient="sam@example.org",
        message_id="<abc@mail.moodmiles.example>",
        sent_at=datetime(2026, 11, 21, 9, 48, tzinfo=UTC),
    )


def test_one_click_unsubscribe_leaves_as_plain_bytes() -> None:
    lines = build_email_bytes(ASKING).as_bytes().split(b"\r\n")

    assert f"List-Unsubscribe: <{STOP}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("From", "Moodmiles <runs@mail.moodmiles.example>"),
        ("To", "sam@example.org"),
        ("Date", "Sat, 21 Nov 2026 09:48:00 +0000"),
        ("Message-ID", "<abc@mail.moodmiles.example>"),
        ("List-Id", "Run surveys <surveys.mail.moodmiles.example>"),
        ("Feedback-ID", "survey-reminder:v1:moodmiles"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ],
)
def test_each_header_is_on_one_plain_line(name: str, value: str) -> None:
    lines = build_email_bytes(ASKING).as_bytes().split(b"\r\n")

    assert f"{name}: {value}".encode() in lines


def test_mails_that_are_no_surveys_cannot_be_unsubscribed_from() -> None:
    letter = build_email_bytes(PLAIN)

    assert not {"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"} & set(letter)
    assert letter["Auto-Submitted"] == "auto-generated"


def test_no_line_is_longer_than_a_server_takes() -> None:
    long = RenderedMail("Long", f"<p>{'word ' * 2000}</p>", f"{'word ' * 2000}\n")

    lines = build_email_bytes(long).as_bytes().split(b"\r\n")

    assert max(len(line) for line in lines) <= 998
    assert all(line.isascii() for line in lines)


def test_both_forms_arrive_whole() -> None:
    letter = build_email_bytes(ASKING)

    text, html = letter.iter_parts()

    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    assert "😄" in text.as_bytes().decode() or "=F0=9F=98=84" in text.as_string()


@pytest.mark.parametrize(
    ("sender", "host"),
    [
        ("Moodmiles <runs@mail.example>", "mail.example"),
        ("runs@mail.example", "mail.example"),
        ("runs", "localhost"),
    ],
)
def test_host_of_sender(sender: str, host: str) -> None:
    assert parse_host(sender) == host
