"""Check-in mood of a week against its days with a run."""

import numpy as np

from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    count_from_monday,
)
from sync.language import translatable


def pair_run_days(history: History) -> PairComparison:
    """Pair the days with a run of each week with its check-in mood."""
    is_rest_day = history.is_rest_day
    weeks = history.find_week_starts(history.answers.local_day[is_rest_day])
    week, index = np.unique(weeks, return_inverse=True)
    answer_counts = np.bincount(index, minlength=len(week))
    mood = (
        np.bincount(index, history.answers.mood[is_rest_day], len(week)) / answer_counts
    )
    run_weeks = history.find_week_starts(history.run_days)
    run_days = np.searchsorted(run_weeks, week, side="right")
    run_days -= np.searchsorted(run_weeks, week, side="left")
    return PairComparison(
        x=run_days.astype(np.float64),
        y=mood,
        days=count_from_monday(week),
        observation_kind="weeks",
    )


PANELS = (
    PanelDefinition(
        name="consistency",
        position=130,
        title=translatable("Days with a run each week"),
        compare=pair_run_days,
        sentences={
            "higher": Sentence(
                translatable(
                    "Check-in mood tended to be higher in weeks with more days with a "
                    "run."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Check-in mood tended to be lower in weeks with more days with a "
                    "run."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between days with a run and check-in mood."
                )
            ),
        },
    ),
)
