"""Mood against the hours since the run."""

from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    pair_with_mood,
)
from sync.language import translatable


def pair_hours_since(history: History) -> PairComparison:
    hours = history.hours_after
    display_groups = {
        translatable("0 to 2 hours"): hours < 2,
        translatable("2 to 6 hours"): (hours >= 2) & (hours <= 6),
        translatable("6 to 24 hours"): hours > 6,
    }
    mask = (hours >= 0) & (hours <= 24)
    return pair_with_mood(
        history,
        hours,
        mask,
        display_groups=display_groups,
        scatter_label=translatable("Hours since the run"),
    )


PANELS = (
    PanelDefinition(
        name="hours_since",
        position=80,
        title=translatable("Hours since the run"),
        compare=pair_hours_since,
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher the longer ago the run was.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be lower the longer ago the run was.")
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between hours since the run and mood."
                )
            ),
        },
    ),
)
