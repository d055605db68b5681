"""Mood against the minutes of the run."""

from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    pair_with_mood,
)
from sync.language import translatable

_SECONDS_PER_MINUTE = 60


def pair_run_length(history: History) -> PairComparison:
    minutes = history.about_s / _SECONDS_PER_MINUTE
    display_groups = {
        translatable("under 15 min"): minutes < 15,
        translatable("15 to 30 min"): (minutes >= 15) & (minutes < 30),
        translatable("30 to 60 min"): (minutes >= 30) & (minutes < 60),
        translatable("60 min or more"): minutes >= 60,
    }
    return pair_with_mood(
        history,
        minutes,
        history.is_after_run,
        display_groups=display_groups,
    )


PANELS = (
    PanelDefinition(
        name="run_length",
        position=70,
        title=translatable("Length of the run"),
        compare=pair_run_length,
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher after runs that took longer.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be lower after runs that took longer.")
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between minutes of running and mood."
                )
            ),
        },
    ),
)
