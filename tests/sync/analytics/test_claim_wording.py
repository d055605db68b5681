"""No sentence claims more than a picture of one's own answers can carry."""

import re
from collections.abc import Mapping

import pytest

from sync.analytics.panels import mileage
from sync.analytics.panels.discovery import list_panels
from sync.analytics.sentences.catalogue import (
    NOTES,
    NOTICES,
    WITHDRAWN_SENTENCE,
    Finding,
    LocalizedText,
    Sentence,
)

# What no page, mail or sentence may say: claims of cause, advice on amounts,
# medicine, and anything that grades or frightens a person.
FORBIDDEN = (
    r"caus(e|es|ed|ing)",
    r"improv(e|es|ed|ing|ement)",
    r"boost(s|ed|ing)?",
    r"reduc(e|es|ed|ing)",
    r"because of",
    r"thanks to",
    r"effects? of",
    r"prov(e|es|ed|en)",
    r"significant(ly)?",
    r"works for you",
    r"dos(e|es|age)",
    r"optimal",
    r"ideal mileage",
    r"you should run",
    r"prescri(be|bes|bed|ption)",
    r"treat(s|ed|ment)?",
    r"therap(y|ies)",
    r"symptoms?",
    r"risks?",
    r"depress(ion|ed|ive)",
    r"anxi(ety|ous)",
    r"burn-?out",
    r"over-?training",
    r"diagnos(is|e|es|ed)",
    r"(un)?healthy mood",
    r"mood score",
    r"your (score|grade)",
    r"percentiles?",
    r"endorphins?",
    r"streaks?",
)
# The same in German, where words take endings and stand together.
FORBIDDEN_IN_GERMAN = (
    r"ursächlich\w*",
    r"verursach\w*",
    r"ursachen?",
    r"verbesser\w*",
    r"steiger\w*",
    r"senk(t|en|te|ten|ung)",
    r"reduzier\w*",
    r"verringer\w*",
    r"wegen",
    r"dank",
    r"aufgrund",
    r"(aus)?wirk(t|en|te|ung|ungen)",
    r"effekte?n?",
    r"bewies(en)?",
    r"beweis(t|e|en)?",
    r"signifikant\w*",
    r"dos(is|en|ierung)",
    r"optimal\w*",
    r"ideale?[nrs]? (kilometer|distanz|umfang)\w*",
    r"du solltest laufen",
    r"verschr(eib|ieb)\w*",
    r"behand(el|l)\w*",
    r"\w*therap\w*",
    r"symptom\w*",
    r"risik\w*",
    r"depress\w*",
    r"angst",
    r"ängst\w*",
    r"burn-?out",
    r"übertraining\w*",
    r"diagnos\w*",
    r"(un)?gesunde stimmung",
    r"\w*score\w*",
    r"deine (note|punktzahl)",
    r"perzentil\w*",
    r"endorphin\w*",
    r"(lauf|antwort)?serien?",
)

# Enough to fill in every sentence and note.
FACTS: Mapping[str, float] = {
    "n": 120,
    "n_first": 70,
    "n_second": 50,
    "first": 1.42,
    "second": -0.31,
    "rho_low": -0.2,
    "rho_high": 0.35,
    "low_m": 30_000,
    "high_m": 45_000,
    "good_in": 0.81,
    "good_out": 0.56,
    "recent_m": 46_000,
    "usual_m": 34_000,
    "needed": 15,
    "more": 8,
    "milestone": 60,
    "answered": 41,
    "asked": 70,
    "share": 0.45,
    "panels": 11,
    "mean": 1.4,
    "day": 1,
    "slope": 0.2,
    "distance": 5,
    "h": 6,
}


SENTENCES: Mapping[str, Sentence] = {
    f"{panel.name}.{verdict}": sentence
    for panel in list_panels()
    for verdict, sentence in panel.sentences.items()
} | {"withdrawn": WITHDRAWN_SENTENCE}
TITLES = [panel.title for panel in list_panels()]
EARLY_SIGN = mileage.PANELS[0].sentences["early"]


def _compile_any(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)


_ANY, _ANY_IN_GERMAN = _compile_any(FORBIDDEN), _compile_any(FORBIDDEN_IN_GERMAN)


def find_forbidden(text: str) -> list[str]:
    """List the forbidden words in a text; spaces and line ends do not hide them."""
    return [found.group(0) for found in _ANY.finditer(" ".join(text.split()))]


def find_forbidden_german(text: str) -> list[str]:
    return [found.group(0) for found in _ANY_IN_GERMAN.finditer(" ".join(text.split()))]


@pytest.mark.parametrize(
    "text",
    [
        *(f"{words.title} {words.text}" for words in SENTENCES.values()),
        *NOTES.values(),
        *NOTICES.values(),
        *TITLES,
    ],
)
def test_every_sentence_keeps_to_what_it_knows(text: str) -> None:
    assert find_forbidden(text) == []


def test_a_forbidden_word_is_found_across_lines_and_cases() -> None:
    text = "Running Improves mood,\n because\n of endorphins; no causeway."

    assert find_forbidden(text) == ["Improves", "because of", "endorphins"]


def test_a_forbidden_german_word_is_found_with_its_endings() -> None:
    text = "Laufen verbesserte die Stimmung,\n dank der Endorphine; Danke, Ursula."

    found = find_forbidden_german(text)

    assert found == ["verbesserte", "dank", "Endorphine"]


@pytest.mark.parametrize("key", SENTENCES)
def test_every_sentence_can_be_said(key: str) -> None:
    finding = Finding(SENTENCES[key], FACTS, "mi")

    assert "{" not in finding.render()
    assert finding.title.endswith(".")
    assert finding.render().endswith(finding.text or finding.title)


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_can_be_said(name: str) -> None:
    said = LocalizedText(NOTICES[name], FACTS).render("mi")

    assert "{" not in said
    assert said.endswith(".")


def test_a_title_and_a_text_become_one_sentence_by_a_colon() -> None:
    finding = Finding(mileage.PANELS[0].sentences["best"], FACTS)

    assert finding.title.endswith("feel best in weeks of 30\N{EN DASH}45 km.")
    assert finding.text.startswith("Good or Great after 81 % of those runs")
    assert "in weeks of 30\N{EN DASH}45 km: Good or Great after" in finding.render()


def test_a_range_is_said_in_the_runners_unit() -> None:
    facts = {"low_m": 30_000, "high_m": 45_000}

    assert "weeks of 30\N{EN DASH}45 km" in Finding(EARLY_SIGN, facts, "km").title
    assert "weeks of 19\N{EN DASH}28 mi" in Finding(EARLY_SIGN, facts, "mi").title


def test_an_open_range_is_said_as_one() -> None:
    at_most = {"low_m": 0, "high_m": 20_000}

    assert "60 km or more" in Finding(EARLY_SIGN, {"low_m": 60_000}).title
    assert "under 20 km" in Finding(EARLY_SIGN, at_most).title
