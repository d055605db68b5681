"""No sentence claims more than a picture of one's own answers can carry."""

import re
from collections.abc import Mapping

import pytest

from sync.analytics.sentences import localized_text
from sync.analytics.sentences.localized_text import Finding

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
}


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
        *localized_text.SENTENCES.values(),
        *localized_text.NOTES.values(),
        *localized_text.TITLES.values(),
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


@pytest.mark.parametrize("key", localized_text.SENTENCES)
def test_every_sentence_can_be_said(key: str) -> None:
    said = Finding(key, FACTS).render("mi")

    assert "{" not in said
    assert said.endswith(".")


def test_a_range_is_said_in_the_runners_unit() -> None:
    facts = {"low_m": 30_000, "high_m": 45_000}

    found = Finding("mileage.early", facts)

    assert "weeks of 30\N{EN DASH}45 km" in found.render("km")
    assert "weeks of 19\N{EN DASH}28 mi" in found.render("mi")


def test_an_open_range_is_said_as_one() -> None:
    assert "60 km or more" in Finding("mileage.early", {"low_m": 60_000}).render()
    assert (
        "under 20 km"
        in Finding("mileage.early", {"low_m": 0, "high_m": 20_000}).render()
    )
