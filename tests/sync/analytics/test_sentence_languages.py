"""What the figures decided is kept as facts, and said in the language of the reader."""

import pytest
from sqlalchemy import update

from sync.analytics import load_figures
from sync.analytics.figures import Figures
from sync.analytics.panels.panel import Panel
from sync.analytics.sentences.catalogue import (
    NOTES,
    NOTICES,
    Finding,
    LocalizedText,
    build_note,
    describe_effect,
    format_distance,
)
from sync.language import LANGUAGES, activate_language, format_signed, gettext
from sync.models import Runner
from sync.support.directory import find_helplines, list_countries
from tests.sync.analytics.runner_data import RunnerData
from tests.sync.analytics.test_claim_wording import (
    EARLY_SIGN,
    FACTS,
    SENTENCES,
    TITLES,
)


def panels_of(figures: Figures) -> tuple[Panel, ...]:
    return figures.panels


def test_a_sentence_that_stands_is_said_again_in_the_readers_language(
    runner_data: RunnerData,
) -> None:
    runner_data.add_correlated_runs(30)
    english = load_figures(runner_data.runtime, runner_data.runner_id)
    first = english.mileage.sentence

    with activate_language("de"):
        german = load_figures(runner_data.runtime, runner_data.runner_id)
        said, title = german.mileage.sentence, german.mileage.title

    assert german is english
    assert first.startswith("In your first 30 answers, mood after longer runs")
    assert said.startswith("In deinen ersten 30 Antworten war die Stimmung nach")
    assert title == "Stimmung und Kilometer"
    assert english.mileage.sentence == first


def test_figures_of_another_zone_are_other_figures(runner_data: RunnerData) -> None:
    runner_data.add_correlated_runs(30)
    at_home = load_figures(runner_data.runtime, runner_data.runner_id)

    with runner_data.runtime.db.transaction() as session:
        session.execute(update(Runner).values(zone="Atlantic/Azores"))

    assert load_figures(runner_data.runtime, runner_data.runner_id) is not at_home


def test_nothing_that_the_figures_say_stays_english(runner_data: RunnerData) -> None:
    runner_data.add_correlated_runs(30)
    runner_data.update_run(3, distance_m=5000.0)
    for number in range(130, 146, 3):
        runner_data.add_run(number, 8, -1)
    figures = load_figures(runner_data.runtime, runner_data.runner_id)

    english = texts_of(figures)
    with activate_language("de"):
        german = texts_of(figures)

    assert len(english) > 30
    assert english & german == set()


def texts_of(figures: Figures) -> set[str]:
    panels = panels_of(figures)
    texts = {text for panel in panels for text in (panel.title, panel.sentence)}
    texts |= {text for panel in panels for text in (*panel.notes, *panel.groups)}
    return texts | {*figures.notes, figures.support or ""}


def test_days_and_numbers_are_said_as_the_language_has_them(
    runner_data: RunnerData,
) -> None:
    runner_data.add_correlated_runs(30)
    load_figures(runner_data.runtime, runner_data.runner_id)
    runner_data.update_run(3, distance_m=5000.0)
    figures = load_figures(runner_data.runtime, runner_data.runner_id)

    with activate_language("de"):
        assert figures.mileage.notes[0].startswith("Am 1. Juni 2026 neu entschieden")
        assert (format_signed(1.42), format_signed(-0.3), format_signed(0.04)) == (
            "+1,4",
            "\u22120,3",
            "0,0",
        )
        assert format_distance(8_230.4, "mi", 1) == "5,1 mi"
        assert describe_effect(-0.5) == "deutlich schlechter"
        assert build_note("usual", mean=1.44, n=22).render() == (
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
    with activate_language("de"):
        assert said in Finding(EARLY_SIGN, facts).render()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_takes_its_facts_in_every_language(language: str) -> None:
    with activate_language(language):
        said = [Finding(words, FACTS, "mi").render() for words in SENTENCES.values()]
        said += [LocalizedText(text, FACTS).render("mi") for text in NOTICES.values()]
        said += [build_note(key, **FACTS).render("mi") for key in NOTES]
        said += [gettext(title) for title in TITLES]

    assert not [text for text in said if "{" in text]


@pytest.mark.parametrize("country", [*list_countries(), None])
def test_how_to_reach_people_is_said_in_every_language(country: str | None) -> None:
    english = find_helplines(country)
    with activate_language("de"):
        german = find_helplines(country)

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
