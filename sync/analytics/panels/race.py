"""Mood after races against other runs."""

from sync.analytics.panels.definition import (
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_after_runs,
)
from sync.language import translatable

_MIN_RACES = 5


def compare_races(history: History) -> GroupComparison:
    is_race = history.is_about_race
    return compare_after_runs(
        history,
        is_race,
        {translatable("races"): is_race, translatable("others"): ~is_race},
        min_to_show=_MIN_RACES,
    )


PANELS = (
    PanelDefinition(
        name="race",
        position=90,
        title=translatable("Races and other runs"),
        sides=Sides(translatable("races"), translatable("other runs")),
        compare=compare_races,
        questions=("race",),
        sentences={
            "higher": Sentence(
                translatable(
                    "Mood tended to be higher after races than after other runs."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Mood tended to be lower after races than after other runs."
                )
            ),
            "none": Sentence(
                translatable("No clear difference so far between races and other runs.")
            ),
        },
    ),
)
