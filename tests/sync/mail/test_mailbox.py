"""The embedded mailbox read back from its folder."""

from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path

import pytest

from sync.mail.mailbox import Mailbox


def add_mail(
    folder: Path, subject: str, *, text: str = "Hello\n", html: str = ""
) -> str:
    email = EmailMessage()
    email["From"] = "Moodmiles <runs@mail.example>"
    email["To"] = "sam@example.org"
    email["Subject"] = subject
    email.set_content(text)
    if html:
        email.add_alternative(html, subtype="html")
    return Maildir(folder).add(email)


def test_the_newest_mail_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "mailbox"
    for number in range(12):
        add_mail(folder, f"Mail {number}")

    subjects = [letter.subject for letter in Mailbox(folder).find_emails()]

    assert subjects == [f"Mail {number}" for number in reversed(range(12))]


def test_both_forms_of_a_mail_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "mailbox"
    key = add_mail(folder, "Wie geht’s?", text="Gut 😄\n", html="<p>Gut 😄</p>")

    letter = Mailbox(folder).load_email(key)

    assert letter is not None
    assert (letter.subject, letter.recipient) == ("Wie geht’s?", "sam@example.org")
    assert letter.text == "Gut 😄\n"
    assert letter.html.strip() == "<p>Gut 😄</p>"
    assert ("Subject", "Wie geht’s?") in letter.headers


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Sign in", "Your run"]),
        ("yOUR rUN", ["Your run"]),
        ("sam@example.org in", ["Sign in"]),
        ("kilometres", ["Your run"]),
        ("nowhere", []),
    ],
)
def test_search_looks_at_subject_address_and_words(
    tmp_path: Path, query: str, found: list[str]
) -> None:
    folder = tmp_path / "mailbox"
    add_mail(folder, "Your run", text="Five kilometres\n")
    add_mail(folder, "Sign in")

    letters = Mailbox(folder).find_emails(query)

    assert [letter.subject for letter in letters] == found


def test_clearing_throws_everything_away(tmp_path: Path) -> None:
    folder = tmp_path / "mailbox"
    key = add_mail(folder, "Old")

    Mailbox(folder).clear()

    assert Mailbox(folder).find_emails() == []
    assert Mailbox(folder).load_email(key) is None


def test_a_mailbox_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "nowhere")

    mailbox.clear()

    assert mailbox.find_emails() == []
    assert mailbox.load_email("1.M1P1Q1.host") is None
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("key", ["", "../new", "new", "/etc/passwd", "1.M1P1Q1.host"])
def test_only_mails_of_the_folder_can_be_read(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "mailbox"
    add_mail(folder, "Mine")

    assert Mailbox(folder).load_email(key) is None


def test_a_mail_that_is_no_proper_mail_does_not_hide_the_others(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mailbox"
    add_mail(folder, "Proper")
    Maildir(folder).add(b"\xff\xfe no header at all")
    Maildir(folder).add(b"Content-Type: text/html; charset=nonsense\n\n<p>\xe9</p>")

    assert len(Mailbox(folder).find_emails()) == 3
