"""Mood after the longest runs so far against other runs."""

import numpy as np

from sync.analytics.panels.definition import (
    Flags,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_after_runs,
)
from sync.language import translatable

_MIN_EARLIER_RUNS = 10


def find_longest_runs(history: History) -> Flags:
    """Find answers about runs longer than any before, from the eleventh on, (m,)."""
    distance_m = history.runs.distance_m
    previous_record = np.maximum.accumulate(np.concatenate(([0.0], distance_m)))[:-1]
    is_longest = (distance_m > previous_record) & (
        np.arange(len(distance_m)) >= _MIN_EARLIER_RUNS
    )
    return history.map_to_answers(is_longest, missing=0) > 0


def compare_longest_runs(history: History) -> GroupComparison:
    """Compare the longest runs so far with others."""
    follows_longest = find_longest_runs(history)
    return compare_after_runs(
        history,
        follows_longest,
        {
            translatable("longest so far"): follows_longest,
            translatable("others"): ~follows_longest,
        },
    )


PANELS = (
    PanelDefinition(
        name="longest",
        position=100,
        title=translatable("Longest runs so far"),
        sides=Sides(translatable("longest so far"), translatable("other runs")),
        compare=compare_longest_runs,
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher after your longest runs so far.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be lower after your longest runs so far.")
            ),
            "none": Sentence(
                translatable("No clear difference after your longest runs.")
            ),
        },
    ),
)
