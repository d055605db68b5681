"""Mails speak their reader's language, whole, and pictures do, too."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from babel import Locale

from sync.language import activate_language
from sync.mail.deliver import deliver_due
from sync.mail.formatting import (
    format_distance,
    format_duration,
    format_moment,
    format_occasion,
)
from sync.mail.message import FooterContact, RenderContext, RenderedMail
from sync.mail.rendering import render_mail
from sync.models import Runner
from sync.preferences import Preferences
from sync.vocabulary import DistanceUnit, MailKind
from tests.support.message_catalogue import BRACKET_LANGUAGE, bracketed_language
from tests.support.page_text import find_unbracketed, find_words
from tests.support.smtp_servers import FakeSmtpServer
from tests.sync.analytics.test_claim_wording import find_forbidden_german
from tests.sync.mail.conftest import NOON, OutboxHarness
from tests.sync.mail.test_messages import GOLDEN, MAILS, NOW, SENDING, render_survey

KEPT_IN_GERMAN = ("survey", "survey_with_distance", "checkin", "digest")
NAMES = {"Moodmiles", "km", "mi", "https", "moodmiles", "example", "Samaritans", "call"}
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+")


def render_in_german(name: str) -> RenderedMail:
    with activate_language("de"):
        return MAILS[name]()


@pytest.mark.parametrize("name", KEPT_IN_GERMAN)
def test_the_german_mail_reads_as_agreed(name: str) -> None:
    mail = render_in_german(name)
    html, text = GOLDEN / f"{name}.de.html", GOLDEN / f"{name}.de.txt"

    if os.environ.get("UPDATE_GOLDEN"):
        html.write_text(mail.html)
        text.write_text(f"Subject: {mail.subject}\n\n{mail.text}")

    assert mail.html == html.read_text()
    assert f"Subject: {mail.subject}\n\n{mail.text}" == text.read_text()


@pytest.mark.parametrize("name", MAILS)
def test_a_german_mail_says_that_it_is_and_uses_no_word_that_we_never_use(
    name: str,
) -> None:
    mail = render_in_german(name)

    assert '<html lang="de"' in mail.html
    assert 'lang="en"' not in mail.html
    assert find_forbidden_german(f"{mail.subject}\n{mail.text}") == []


@pytest.fixture
def bracketed_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with bracketed_language(tmp_path / "locale", monkeypatch):
        yield


@pytest.mark.usefixtures("bracketed_texts")
@pytest.mark.parametrize("name", MAILS)
def test_no_text_of_a_mail_escapes_translation(name: str) -> None:
    with activate_language(BRACKET_LANGUAGE):
        mail = MAILS[name]()

    said = (mail.html, mail.text.replace("<", ""), mail.subject)
    found = [text for page in said for text in find_unbracketed(page)]
    assert [text for text in found if find_untranslated(text)] == []


@pytest.mark.usefixtures("bracketed_texts")
def test_not_even_the_foot_escapes() -> None:
    sending = RenderContext(
        "https://moodmiles.example",
        now=NOW,
        stale_at=NOW,
        language=BRACKET_LANGUAGE,
        contacts=[
            FooterContact("Samaritans", "call 116 123", "https://samaritans.example")
        ],
    )

    values = {"unsubscribe_token": "u"}
    mail = render_mail(MailKind.SLOW_DOWN_QUESTION, values, sending)

    assert "116 123" in mail.text
    assert [
        text for text in find_unbracketed(mail.html) if find_untranslated(text)
    ] == []


def find_untranslated(text: str) -> bool:
    """Whether words are left that are no names, days or the figures' own sentence."""
    if text.rstrip(".") == "Not enough yet: 7 of 15 runs":
        return False  # given to the mail as it is
    return bool(find_words(_ADDRESS.sub("", text)) - NAMES - build_days())


def build_days() -> set[str]:
    rules = Locale.parse(BRACKET_LANGUAGE)
    names = [*rules.days["format"]["abbreviated"].values()]
    names += rules.days["stand-alone"]["abbreviated"].values()
    names += rules.months["format"]["abbreviated"].values()
    return {word for name in names for word in find_words(name)}


@pytest.mark.parametrize(
    ("said", "german"),
    [
        (lambda: format_distance(8_230.4, units=DistanceUnit.KM), "8,2 km"),
        (lambda: format_moment(NOW, zone="Europe/Berlin"), "Sa., 21. Nov., 10:48"),
        (lambda: format_duration(timedelta(minutes=1)), "1 Minute"),
        (lambda: format_duration(timedelta(days=3)), "3 Tage"),
        (lambda: heard(hours=3), "heute Morgen"),
        (lambda: heard(hours=9, minutes=40), "letzte Nacht"),
        (lambda: heard(hours=13), "gestern Abend"),
        (lambda: heard(hours=20), "gestern Nachmittag"),
        (lambda: heard(days=3), None),
    ],
)
def test_times_and_distances_follow_the_language(
    said: Callable[[], str | None], german: str | None
) -> None:
    with activate_language("de"):
        assert said() == german


def heard(**ago: float) -> str | None:
    return format_occasion(NOW - timedelta(**ago), now=NOW, zone="UTC")


def test_a_digest_says_the_figures_sentence_in_the_readers_language() -> None:
    values = {
        "distances_m": [0, 5000, 0, 0, 0, 0, 0],
        "moods": [[], [1], [], [], [], [], []],
        "runs": 1,
        "sentence": {"en": "No clear link so far.", "de": "Bisher nichts Klares."},
        "unsubscribe_token": "u",
    }
    sendings = {language: build_context(language) for language in ("de", "en", "fr")}

    said = {
        language: render_mail(MailKind.DIGEST, values, sending).text
        for language, sending in sendings.items()
    }

    assert "1 Lauf, 5,0 km, 1 Antwort." in said["de"]
    assert "Di 5,0 km, Gut." in said["de"]
    assert "Bisher nichts Klares." in said["de"]
    assert "No clear link so far." in said["en"]
    assert said["fr"] == said["en"]


def build_context(language: str) -> RenderContext:
    return RenderContext(SENDING.public_url, now=NOW, stale_at=NOW, language=language)


def test_a_mail_speaks_the_language_chosen_when_it_leaves(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue()
    outbox_harness.update_runner(preferences=Preferences(language="de"))

    deliver_due(outbox_harness.runtime)

    (letter,) = post.emails
    assert letter["Subject"] == "Dein Lauf heute Morgen: Wie fühlst du dich?"
    assert letter["To"] == "sam@example.org"


def test_the_receipt_of_a_deleted_runner_keeps_their_language(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(
        "deleted:1",
        kind="deleted",
        runner_id=None,
        to="sam@example.org",
        language="de",
        values={},
    )
    with outbox_harness.runtime.db.transaction() as session:
        session.delete(session.get_one(Runner, outbox_harness.runner_id))

    deliver_due(outbox_harness.runtime)

    (letter,) = post.emails
    assert letter["Subject"] == "Deine Moodmiles-Daten sind gelöscht"


def test_a_runner_without_a_language_is_written_to_in_english(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(stale_at=NOON + timedelta(hours=1))

    deliver_due(outbox_harness.runtime)

    assert post.emails[0]["Subject"] == render_survey().subject
