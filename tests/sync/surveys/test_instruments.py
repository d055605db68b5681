"""Instruments are files: ours are as agreed, and a bad one is refused by its line."""

from pathlib import Path

import pytest

from sync.errors import NotConfigured
from sync.preferences import Preferences
from sync.surveys import instruments
from sync.surveys.instruments import InvalidAnswer, check_values, load_library
from sync.surveys.instruments.reading import read_instrument
from sync.surveys.policy.question_selection import select_questions, suggest_answers
from sync.vocabulary import InstrumentKind

GOOD = """\
id = "club-1"
kind = "focus"
title = "Ours"

[[questions]]
key = "legs"
text = "How do your legs feel?"
choices = { 0 = "Heavy", 1 = "Fine" }
"""


def write_instrument(folder: Path, text: str) -> Path:
    path = folder / "instruments" / "club.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def list_question_keys(kind: str, **context: object) -> list[str]:
    preferences = Preferences(**context.pop("preferences", {}))  # type: ignore[arg-type]
    questions = select_questions(load_library(), kind, preferences, **context)  # type: ignore[arg-type]
    return [question.key for question in questions]


def test_the_first_question_has_five_words() -> None:
    mood = instruments.QUESTIONS["mood"]

    assert mood.text == "How do you feel right now?"
    assert mood.required
    assert list(mood.choices.items()) == [
        (-2, "Awful"),
        (-1, "Low"),
        (0, "OK"),
        (1, "Good"),
        (2, "Great"),
    ]


@pytest.mark.parametrize(
    ("key", "first", "last"),
    [
        ("stress", "Not at all", "Very"),
        ("energy", "Drained", "Full of energy"),
        ("effort", "Very easy", "Very hard"),
        ("presence", "Not at all", "Completely"),
        ("progress", "Not at all", "Very"),
        ("clarity", "Very foggy", "Very clear"),
        ("connection", "Not at all", "Very"),
    ],
)
def test_the_scales_run_from_0_to_4(key: str, first: str, last: str) -> None:
    choices = instruments.QUESTIONS[key].choices

    assert list(choices) == [0, 1, 2, 3, 4]
    assert (choices[0], choices[4]) == (first, last)


def test_a_run_is_asked_about_in_a_fixed_order() -> None:
    assert list_question_keys("run", focus="clarity") == [
        "before",
        "stress",
        "company",
        "place",
        "race",
        "clarity",
    ]


def test_six_hours_later_nobody_remembers_the_start() -> None:
    assert "before" in list_question_keys("run", minutes_since_end=360)
    assert "before" not in list_question_keys("run", minutes_since_end=361)


def test_the_runner_chooses_what_is_asked() -> None:
    less = {"before": False, "stress": False, "context": False}

    assert list_question_keys("run", preferences=less, focus="") == []


def test_a_check_in_asks_for_stress_and_one_thing_more() -> None:
    assert list_question_keys("checkin", focus="sleep") == ["stress", "sleep"]


def test_what_the_run_knows_is_only_suggested() -> None:
    found = suggest_answers(
        is_with_others=True, is_race=False, is_treadmill=False, sport="TrailRun"
    )

    assert found == {"place": 1, "company": 1}


def test_a_host_adds_a_question_without_code(tmp_path: Path) -> None:
    write_instrument(tmp_path, GOOD)

    found = load_library(tmp_path)

    assert "legs" in found.get_choices(InstrumentKind.FOCUS)
    assert check_values({"legs": 1}, found.questions) == {"legs": 1}
    with pytest.raises(InvalidAnswer):
        check_values({"legs": 2}, found.questions)


@pytest.mark.parametrize(
    ("bad", "line", "why"),
    [
        (GOOD.replace('title = "Ours"', "title = Ours"), 3, "Invalid value"),
        (GOOD.replace('"club-1"', '"club"'), 1, "id"),
        (GOOD.replace('"focus"', '"foucs"'), 2, "kind"),
        (GOOD.replace('"legs"', '"Legs!"'), 6, "key"),
        (GOOD.replace('1 = "Fine"', '1 = "Heavy"'), 5, "same words"),
        (GOOD.replace(', 1 = "Fine"', ""), 8, "choices"),
        (GOOD.replace("text =", "txt ="), 5, "text"),
        (GOOD.replace('"focus"', '"run"'), 1, "required mood"),
        (GOOD + GOOD[GOOD.index("[[") :], 1, "same key"),
        (GOOD + GOOD[GOOD.index("[[") :].replace('"legs"', "7"), 10, "key"),
        (GOOD.replace('title = "Ours"', 'title = "Ours"\nweight = 3'), 4, "weight"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(
    tmp_path: Path, bad: str, line: int, why: str
) -> None:
    path = write_instrument(tmp_path, bad)

    with pytest.raises(NotConfigured, match=rf"club\.toml, line {line}: .*{why}"):
        read_instrument(path)


def test_one_question_has_one_scale(tmp_path: Path) -> None:
    write_instrument(tmp_path, GOOD.replace('"legs"', '"energy"'))

    with pytest.raises(NotConfigured, match="energy exists with other choices"):
        load_library(tmp_path)


def test_one_version_has_one_file(tmp_path: Path) -> None:
    write_instrument(tmp_path, GOOD.replace('"club-1"', '"focus-1"'))

    with pytest.raises(NotConfigured, match="there is another focus-1"):
        load_library(tmp_path)


def test_the_wellbeing_page_brings_its_own_notice() -> None:
    folder = Path(instruments.__file__).parent / "who5"

    assert "NOT covered by the licence" in (folder / "NOTICE").read_text()
    assert [path.name for path in folder.glob("*.toml")] == ["who5.toml"]
    assert not {q for q in instruments.QUESTIONS if q.startswith("who5")}
