"""What the figures decided is kept as facts, and said in the language of the reader."""

import pytest
from sqlalchemy import update

from sync.analytics import figures_for
from sync.analytics.figures import Figures
from sync.analytics.panels.panel import Panel
from sync.analytics.sentences.captions import NOTES, TITLES
from sync.analytics.sentences.catalogue import SENTENCES
from sync.analytics.sentences.localized_text import (
    Finding,
    distance,
    effect_word,
    note,
    signed,
)
from sync.language import LANGUAGES, gettext, speaking
from sync.models import Runner
from sync.support.directory import countries, support
from tests.sync.analytics.runner_data import Book
from tests.sync.analytics.test_claim_wording import FACTS


def panels_of(figures: Figures) -> tuple[Panel, ...]:
    return (*figures.headline, figures.mileage_by_run, *figures.exploring)


def test_a_sentence_that_stands_is_said_again_in_the_readers_language(
    book: Book,
) -> None:
    book.linked_runs(30)
    english = figures_for(book.runtime, book.runner_id)
    first = english.mileage.sentence

    with speaking("de"):
        german = figures_for(book.runtime, book.runner_id)
        said, title = german.mileage.sentence, german.mileage.title

    assert german is english
    assert first.startswith("In your first 30 answers, mood after longer runs")
    assert said.startswith("In deinen ersten 30 Antworten war die Stimmung nach")
    assert title == "Stimmung und Kilometer"
    assert english.mileage.sentence == first


def test_figures_of_another_zone_are_other_figures(book: Book) -> None:
    book.linked_runs(30)
    at_home = figures_for(book.runtime, book.runner_id)

    with book.runtime.db.transaction() as session:
        session.execute(update(Runner).values(zone="Atlantic/Azores"))

    assert figures_for(book.runtime, book.runner_id) is not at_home


def test_nothing_that_the_figures_say_stays_english(book: Book) -> None:
    book.linked_runs(30)
    book.edit(3, distance_m=5000.0)
    for number in range(130, 146, 3):
        book.run(number, 8, -1)
    figures = figures_for(book.runtime, book.runner_id)

    english = texts_of(figures)
    with speaking("de"):
        german = texts_of(figures)

    assert len(english) > 30
    assert english & german == set()


def texts_of(figures: Figures) -> set[str]:
    panels = panels_of(figures)
    said = {text for panel in panels for text in (panel.title, panel.sentence)}
    said |= {text for panel in panels for text in (*panel.notes, *panel.groups)}
    return said | {*figures.notes, figures.support or ""}


def test_days_and_numbers_are_said_as_the_language_has_them(book: Book) -> None:
    book.linked_runs(30)
    figures_for(book.runtime, book.runner_id)
    book.edit(3, distance_m=5000.0)
    figures = figures_for(book.runtime, book.runner_id)

    with speaking("de"):
        assert figures.mileage.notes[0].startswith("Am 1. Juni 2026 neu entschieden")
        assert (signed(1.42), signed(-0.3), signed(0.04)) == (
            "+1,4",
            "\u22120,3",
            "0,0",
        )
        assert distance(8_230.4, "mi", 1) == "5,1 mi"
        assert effect_word(-0.5) == "deutlich schlechter"
        assert note("usual", mean=1.44, n=22).said() == (
            "Üblich ist bei dir hier +1,4, aus 22 Antworten an Tagen ohne Lauf."
        )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"low_m": 30_000, "high_m": 45_000}, "Wochen mit 30–45 km"),
        ({"low_m": 60_000}, "Wochen mit 60 km oder mehr"),
        ({"low_m": 0, "high_m": 20_000}, "Wochen mit unter 20 km"),
    ],
)
def test_a_range_is_said_in_german(facts: dict[str, int], said: str) -> None:
    with speaking("de"):
        assert said in Finding("mileage.early", facts).said()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_takes_its_facts_in_every_language(language: str) -> None:
    with speaking(language):
        said = [Finding(key, FACTS).said("mi") for key in SENTENCES]
        said += [note(key, "mi", **FACTS).said() for key in NOTES]
        said += [gettext(title) for title in TITLES.values()]

    assert not [text for text in said if "{" in text]


@pytest.mark.parametrize("country", [*countries(), None])
def test_how_to_reach_people_is_said_in_every_language(country: str | None) -> None:
    english = support(country)
    with speaking("de"):
        german = support(country)

    digits = [
        "".join(filter(str.isdigit, line.reach))
        for place in (english, german)
        for line in place.lines
    ]
    many = len(english.lines)
    assert digits[:many] == digits[many:]
    assert all(
        one.reach != other.reach
        for one, other in zip(english.lines, german.lines, strict=True)
    )
    assert [line.name for line in german.lines] == [line.name for line in english.lines]
