"""Check-in mood of a week against the share that its longest run had in it."""

import numpy as np

from sync.analytics.panels.check_in_weeks import find_check_in_weeks
from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
)
from sync.language import translatable

# A third is a third, however its distances were added up.
_DECIMALS = 9
_THIRD = round(1 / 3, _DECIMALS)


def pair_longest_share(history: History) -> PairComparison:
    """Pair the longest run's share of each week's distance with its check-in mood.

    Weeks without distance have no share and are left out.
    """
    weeks = find_check_in_weeks(history)
    distance_m = weeks.sum_by_week(history.runs.distance_m)
    longest_m = weeks.find_greatest_by_week(history.runs.distance_m)
    share = np.round(longest_m / np.where(distance_m > 0, distance_m, 1.0), _DECIMALS)
    display_groups = {
        translatable("longest run under a third"): share < _THIRD,
        translatable("a third to two thirds"): (share >= _THIRD) & (share < 2 * _THIRD),
        translatable("two thirds or more"): share >= 2 * _THIRD,
    }
    return weeks.pair(share, valid=distance_m > 0, display_groups=display_groups)


PANELS = (
    PanelDefinition(
        name="longest_share",
        position=150,
        title=translatable("The longest run’s share of the week"),
        compare=pair_longest_share,
        is_on_dashboard=False,
        codebook=CodebookEntry("", "Spearman: longest of week_m, rest = 1 mood; weeks"),
        sentences={
            "higher": Sentence(
                translatable(
                    "Check-in mood tended to be higher in weeks in which one run made "
                    "up more of the distance."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Check-in mood tended to be lower in weeks in which one run made "
                    "up more of the distance."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between the longest run’s share of a week "
                    "and check-in mood."
                )
            ),
        },
    ),
)
