"""Check-in mood against the distance of four weeks at a time."""

import numpy as np

from sync.analytics.dataset.stretches import find_stretches
from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    count_from_monday,
)
from sync.language import translatable


def pair_month_load(history: History) -> PairComparison:
    """Pair the distance of four weeks, end to end, with the mood of their check-ins.

    Overlapping stretches would count the same weeks several times.  They start at
    the first day, so a finished stretch never changes.
    """
    stretches, runs = find_stretches(history), history.runs
    answer_days = history.answers.local_day[history.is_rest_day]
    distance_m = stretches.sum_by_stretch(runs.local_day, runs.distance_m)
    answer_counts = stretches.sum_by_stretch(answer_days, np.ones(len(answer_days)))
    mood = stretches.sum_by_stretch(
        answer_days, history.answers.mood[history.is_rest_day]
    )
    has_answers = answer_counts > 0
    return PairComparison(
        x=distance_m[has_answers],
        y=mood[has_answers] / answer_counts[has_answers],
        days=count_from_monday(stretches.starts[has_answers]),
        observation_kind="stretches",
    )


PANELS = (
    PanelDefinition(
        name="month",
        position=120,
        title=translatable("Four weeks at a time and check-ins"),
        compare=pair_month_load,
        sentences={
            "higher": Sentence(
                translatable(
                    "Check-in mood tended to be higher in stretches of four weeks with"
                    " more distance."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Check-in mood tended to be lower in stretches of four weeks with "
                    "more distance."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between four weeks of distance and check-in "
                    "mood."
                )
            ),
        },
    ),
)
