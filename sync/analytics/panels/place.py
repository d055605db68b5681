"""Mood after runs indoors against runs outdoors."""

import numpy as np

from sync.analytics.panels.definition import (
    INDOORS,
    STREET,
    TRAIL,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_after_runs,
)
from sync.language import translatable


def compare_places(history: History) -> GroupComparison:
    recorded = history.map_to_answers(history.runs.place).astype(float)
    place = np.where(np.isnan(history.answers.place), recorded, history.answers.place)
    display_groups = {
        translatable("street"): place == STREET,
        translatable("park or trail"): place == TRAIL,
        translatable("indoors"): place == INDOORS,
    }
    return compare_after_runs(history, place == INDOORS, display_groups)


PANELS = (
    PanelDefinition(
        name="place",
        position=50,
        title=translatable("Indoors or outdoors"),
        sides=Sides(translatable("indoors"), translatable("outdoors")),
        compare=compare_places,
        questions=("place",),
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher after runs indoors.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be higher after runs outdoors.")
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far between runs indoors and outdoors."
                )
            ),
        },
    ),
)
