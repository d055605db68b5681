"""Check-in mood against the distance of four weeks at a time."""

import numpy as np

from sync.analytics.panels.definition import (
    MONTH_DAYS,
    Floats,
    History,
    Ints,
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
    is_rest_day, days = history.is_rest_day, history.runs.local_day
    answer_days = history.answers.local_day[is_rest_day]
    if not len(days) or not len(answer_days):
        nothing = np.zeros(0)
        return PairComparison(
            x=nothing, y=nothing, days=nothing, observation_kind="stretches"
        )
    first_day = int(days.min())
    n_stretches = max(0, (history.today - first_day) // MONTH_DAYS)
    distance_m = _sum_by_index(
        history.runs.distance_m, (days - first_day) // MONTH_DAYS, n_stretches
    )
    index = (answer_days - first_day) // MONTH_DAYS
    answer_counts = _sum_by_index(np.ones(len(index)), index, n_stretches)
    mood = _sum_by_index(history.answers.mood[is_rest_day], index, n_stretches)
    has_answers = answer_counts > 0
    starts = first_day + MONTH_DAYS * np.arange(n_stretches)
    return PairComparison(
        x=distance_m[has_answers],
        y=mood[has_answers] / answer_counts[has_answers],
        days=count_from_monday(starts[has_answers]),
        observation_kind="stretches",
    )


def _sum_by_index(amounts: Floats, index: Ints, size: int) -> Floats:
    """Add up the amounts at each index below `size`, shape (size,)."""
    in_range = (index >= 0) & (index < size)
    sums = np.bincount(index[in_range], amounts[in_range], size)
    return np.asarray(sums, dtype=np.float64)


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
