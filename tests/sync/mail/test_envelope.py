"""The headers that mail servers and mail programs judge us by, as bytes."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from sync.mail.envelope import build_email
from sync.mail.message import RenderedMail
from sync.mail_address import MailSender
from sync.vocabulary import MailKind
from tests.sync.mail.test_messages import MAILS

STOP = f"https://moodmiles.example/u/{'a-long-unsubscribe-token-' * 6}"
ASKING = RenderedMail("Wie geht’s?", "<p>😄</p>", "😄\n", unsubscribe_url=STOP)
PLAIN = RenderedMail("Sign in", "<p>Here</p>", "Here\n")


def build_email_bytes(
    message: RenderedMail, sender: str = "Moodmiles <runs@mail.moodmiles.example>"
) -> EmailMessage:
    return build_email(
        message,
        kind=MailKind.SURVEY_REMINDER,
        sender=MailSender.parse(sender),
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


def test_no_line_of_a_body_is_longer_than_76() -> None:
    long_text = f"{'word ' * 2000}ä€😄{'x' * 500}\n"
    long = RenderedMail("Long", f"<p>{long_text}</p>", long_text, unsubscribe_url=STOP)

    head, _, bodies = build_email_bytes(long).as_bytes().partition(b"\r\n\r\n")

    assert max(len(line) for line in bodies.split(b"\r\n")) <= 76
    assert max(len(line) for line in head.split(b"\r\n")) <= 998
    assert (head + bodies).isascii()


def test_both_forms_arrive_whole() -> None:
    letter = build_email_bytes(ASKING)

    text, html = letter.iter_parts()

    assert text.get_content_type() == "text/plain"
    assert html.get_content_type() == "text/html"
    assert "😄" in text.as_bytes().decode() or "=F0=9F=98=84" in text.as_string()


@pytest.mark.parametrize(
    ("sender", "header"),
    [
        ("Laufclub, Köln <mood@example.org>", "Laufclub, Köln"),
        ("Mood [Club] <mood@example.org>", "Mood [Club]"),
        ("Mood; Miles <mood@example.org>", "Mood; Miles"),
        ("Mood @ Club <mood@example.org>", "Mood @ Club"),
        (f"{'Ein sehr langer Name, ' * 12} <mood@example.org>", "Ein sehr"),
    ],
)
def test_a_name_with_any_signs_stays_one_sender(sender: str, header: str) -> None:
    wire = build_email_bytes(ASKING, sender).as_bytes()

    (read,) = message_from_bytes(wire, policy=policy.strict)["From"].addresses
    assert read.addr_spec == "mood@example.org"
    assert read.display_name.startswith(header)


@pytest.mark.parametrize("name", sorted(MAILS))
def test_a_strict_reader_finds_no_defect_in_any_mail(name: str) -> None:
    message = MAILS[name]()
    wire = build_email_bytes(message, "Laufclub, Köln <mood@läufer.example>").as_bytes()

    # `policy.strict` raises for a defect in any header or part.
    letter = message_from_bytes(wire, policy=policy.strict)

    for header in ("From", "To", "Subject", "Date", "Message-ID", "List-Id"):
        for value in letter.get_all(header, []):
            assert not value.defects, (header, value.defects)
    text, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert text.get_content().split() == message.text.split()
    assert html.get_content().split() == message.html.split()
    bodies = [
        str(part.get_payload()) for part in letter.walk() if not part.is_multipart()
    ]
    assert max(len(line) for body in bodies for line in body.splitlines()) <= 76
