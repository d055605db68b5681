"""Instruments in other languages: whole, beside the English words, or refused."""

from pathlib import Path

import pytest

from sync.errors import NotConfigured
from sync.language import DEFAULT_LANGUAGE, LANGUAGES, activate_language, gettext
from sync.mail.formatting import MOOD_LABELS
from sync.surveys import instruments
from sync.surveys.instruments import load_library
from sync.surveys.instruments.reading import read_instrument
from sync.vocabulary import InstrumentKind
from tests.sync.surveys.test_instruments import GOOD, write_instrument

TOLD = """\
id = "club-1"
kind = "focus"
title = "Ours"

[texts.de]
title = "Unsere"

[[questions]]
key = "legs"
text = "How do your legs feel?"
choices = { 0 = "Heavy", 1 = "Fine" }

[questions.texts.de]
text = "Wie geht es den Beinen?"
choices = { 0 = "Schwer", 1 = "Gut" }
"""


@pytest.mark.parametrize(
    ("bad", "line", "why"),
    [
        (TOLD.replace("[texts.de]", "[texts.xx]"), 5, "none of our other languages"),
        (TOLD.replace("[texts.de]", "[texts.en]"), 5, "none of our other languages"),
        (TOLD.replace('title = "Unsere"', 'titel = "Unsere"'), 5, "title"),
        (TOLD.replace('"Unsere"', '"Unsere"\nname = 1'), 7, "name"),
        (TOLD.replace('"Unsere"', '"Unsere"\nintro = "Hier"'), 7, "one language only"),
        (TOLD.replace('text = "Wie', 'txt = "Wie'), 13, "text"),
        (TOLD.replace('1 = "Gut"', '2 = "Gut"'), 15, "not the same choices"),
        (TOLD.replace('1 = "Gut"', '1 = "Schwer"'), 15, "same words"),
        (TOLD.replace('"Wie geht', '"Wie"\nhint = "So"\n# "'), 15, "one language only"),
        (TOLD[: TOLD.index("[questions.")], 8, "the question legs is missing"),
        (GOOD + TOLD[TOLD.index("[questions.") :], 9, "the instrument itself"),
    ],
)
def test_half_a_translation_is_refused_with_its_line(
    tmp_path: Path, bad: str, line: int, why: str
) -> None:
    path = write_instrument(tmp_path, bad)

    with pytest.raises(NotConfigured, match=rf"club\.toml, line {line}: .*{why}"):
        read_instrument(path)


def test_a_host_translates_a_question_without_code(tmp_path: Path) -> None:
    found = read_instrument(write_instrument(tmp_path, TOLD))

    with activate_language("de"):
        said = found.localize()
        language = found.language

    assert (said.title, said.questions[0].text) == ("Unsere", "Wie geht es den Beinen?")
    assert said.questions[0].choices == {0: "Schwer", 1: "Gut"}
    assert language == "de"
    assert found.localize() == found


def test_what_is_not_translated_stays_english_and_says_so(tmp_path: Path) -> None:
    found = read_instrument(write_instrument(tmp_path, GOOD))

    with activate_language("de"):
        assert found.localize() == found
        assert found.language == "en"


@pytest.mark.parametrize("language", set(LANGUAGES) - {DEFAULT_LANGUAGE})
def test_ours_stand_in_every_language(language: str) -> None:
    with activate_language(language):
        spoken_in = {
            one.id: one.language for one in load_library().instruments.values()
        }
        moods = [
            question.localize().choices
            for one in load_library().instruments.values()
            for question in one.questions
            if question.key in {"mood", "before"}
        ]
        words = {mood: gettext(word) for mood, word in MOOD_LABELS.items()}

    assert set(spoken_in.values()) == {language}
    assert all(found == words for found in moods)


def test_the_wellbeing_page_in_german_is_the_published_translation() -> None:
    (who5,) = load_library().get_by_kind(InstrumentKind.PAGE)
    with activate_language("de"):
        said = who5.localize()

    notice = Path(instruments.__file__).parent / "who5" / "NOTICE"
    published = " ".join(notice.read_text().split())
    for question in said.questions:
        statement = question.text.removeprefix("In den letzten zwei Wochen ")
        assert f'"... {statement}"' in published
        assert ", ".join(question.choices.values()) in published
