"""Check-in mood against the distance of the seven days before."""

from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    pair_with_mood,
)
from sync.language import translatable


def pair_week_load(history: History) -> PairComparison:
    """Pair the distance of the seven days before a check-in with its mood."""
    yesterday = history.answers.local_day - 1
    load_m = history.compute_loads(yesterday)
    return pair_with_mood(history, load_m, history.is_rest_day)


PANELS = (
    PanelDefinition(
        name="load",
        position=110,
        title=translatable("The last seven days and check-ins"),
        compare=pair_week_load,
        sentences={
            "higher": Sentence(
                translatable(
                    "Check-in mood tended to be higher when the seven days before held"
                    " more distance."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Check-in mood tended to be lower when the seven days before held "
                    "more distance."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between the last seven days and check-in "
                    "mood."
                )
            ),
        },
    ),
)
