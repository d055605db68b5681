"""Each focus question has its own picture and its own words, once it was answered."""

import re
from collections.abc import Sequence

import numpy as np
import pytest

from sync.analytics import load_figures
from sync.analytics.dataset.history import FOCUS_KEYS
from sync.analytics.panels.discovery import list_panels
from sync.analytics.panels.panel import Panel
from sync.surveys.instruments import load_library
from sync.vocabulary import InstrumentKind
from tests.sync.analytics.runner_data import RunnerData


def load_exploratory_panels(runner_data: RunnerData) -> Sequence[Panel]:
    panels = load_figures(runner_data.runtime, runner_data.runner_id).exploratory
    return [panel for panel in panels if panel.name.startswith("focus_")]


def add_answers(
    runner_data: RunnerData, key: str, *, count: int = 30, first: int = 1
) -> None:
    """Say more on longer runs, all but always."""
    random = np.random.default_rng(3)
    for number in range(first, first + count):
        km = float(random.uniform(4, 24))
        level = int(np.clip((km - 4) / 4 + random.normal(0, 0.3), 0, 4))
        runner_data.add_run(number, km, 0, said={key: level})


def test_there_is_a_picture_for_every_focus_question_that_can_be_chosen() -> None:
    assert set(FOCUS_KEYS) == set(load_library().get_choices(InstrumentKind.FOCUS))


@pytest.mark.parametrize("key", FOCUS_KEYS)
def test_every_focus_question_has_a_title_and_words_for_both_directions(
    key: str,
) -> None:
    (panel,) = (panel for panel in list_panels() if panel.name == f"focus_{key}")
    said = [panel.sentences[verdict].title for verdict in ("higher", "lower")]

    assert panel.title
    assert len(set(said)) == 2
    assert all(re.search("longer runs", words, re.IGNORECASE) for words in said)


def test_a_new_runner_is_promised_one_picture(runner_data: RunnerData) -> None:
    (panel,) = load_exploratory_panels(runner_data)

    assert (panel.name, panel.title) == ("focus_energy", "Energy and the distance run")
    assert panel.sentence == "Not enough yet: 0 of 15 answers."


def test_effort_is_spoken_of_as_hard_and_easy(runner_data: RunnerData) -> None:
    add_answers(runner_data, "effort")

    (panel,) = load_exploratory_panels(runner_data)

    assert panel.title == "How hard runs are, and their distance"
    assert panel.sentence == "Longer runs tended to feel harder."


def test_an_earlier_question_keeps_its_picture_beside_the_new_one(
    runner_data: RunnerData,
) -> None:
    add_answers(runner_data, "energy")
    add_answers(runner_data, "clarity", count=4, first=31)

    energy, clarity = load_exploratory_panels(runner_data)

    assert energy.sentence == "You tended to have more energy after longer runs."
    assert clarity.sentence == "Not enough yet: 4 of 15 answers."
    figures = load_figures(runner_data.runtime, runner_data.runner_id, is_complete=True)
    count = len(figures.exploratory)
    assert f"we look at {count} such pictures" in figures.notes[0]
