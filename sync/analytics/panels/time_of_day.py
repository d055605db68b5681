"""Mood after runs begun before noon against later ones."""

from dataclasses import replace

import numpy as np

from sync.analytics.panels.definition import (
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_after_runs,
)
from sync.language import translatable

_NOON = 12


def compare_times_of_day(history: History) -> GroupComparison:
    hour = history.map_to_answers(history.runs.start_hour)
    display_groups = {
        translatable("morning"): hour < 11,
        translatable("midday"): (hour >= 11) & (hour < 16),
        translatable("evening"): hour >= 16,
    }
    comparison = compare_after_runs(
        history, hour < _NOON, display_groups, valid=~np.isnan(hour)
    )
    return replace(comparison, is_about_hours=True)


PANELS = (
    PanelDefinition(
        name="time_of_day",
        position=60,
        title=translatable("Time of day"),
        sides=Sides(translatable("before noon"), translatable("later")),
        compare=compare_times_of_day,
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher after runs begun before noon.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be higher after runs begun from noon on.")
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far between runs before noon and later."
                )
            ),
        },
    ),
)
