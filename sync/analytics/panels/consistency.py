"""Check-in mood of a week against its days with a run."""

from sync.analytics.panels.check_in_weeks import find_check_in_weeks
from sync.analytics.panels.definition import (
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
)
from sync.language import translatable


def pair_run_days(history: History) -> PairComparison:
    """Pair the days with a run of each week with its check-in mood."""
    weeks = find_check_in_weeks(history)
    run_days = weeks.count_run_days()
    display_groups = {
        translatable("no run day or one"): run_days <= 1,
        translatable("two or three run days"): (run_days == 2) | (run_days == 3),
        translatable("four run days or more"): run_days >= 4,
    }
    return weeks.pair(run_days, display_groups=display_groups)


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
