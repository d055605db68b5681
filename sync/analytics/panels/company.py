"""Mood after runs with others against runs alone."""

import numpy as np

from sync.analytics.panels.definition import (
    WITH_OTHERS,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_after_runs,
)
from sync.language import translatable


def compare_company(history: History) -> GroupComparison:
    recorded = history.map_to_answers(history.runs.is_with_others).astype(float)
    company = np.where(
        np.isnan(history.answers.company), recorded, history.answers.company
    )
    is_together = company == WITH_OTHERS
    return compare_after_runs(
        history,
        is_together,
        {translatable("with others"): is_together, translatable("alone"): ~is_together},
    )


PANELS = (
    PanelDefinition(
        name="company",
        position=40,
        title=translatable("With others or alone"),
        sides=Sides(translatable("with others"), translatable("alone")),
        compare=compare_company,
        questions=("company",),
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher after runs with others.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be higher after runs alone.")
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far between runs with others and alone."
                )
            ),
        },
    ),
)
