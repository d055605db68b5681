"""Check-in mood of a week against its minutes of running."""

from sync.analytics.panels.check_in_weeks import find_check_in_weeks
from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
)
from sync.language import translatable

_SECONDS_PER_MINUTE = 60


def pair_week_minutes(history: History) -> PairComparison:
    """Pair the minutes in motion of each week with its check-in mood."""
    weeks = find_check_in_weeks(history)
    minutes = weeks.sum_by_week(history.runs.moving_s) / _SECONDS_PER_MINUTE
    display_groups = {
        translatable("under 60 min a week"): minutes < 60,
        translatable("60 to 150 min a week"): (minutes >= 60) & (minutes < 150),
        translatable("150 min a week or more"): minutes >= 150,
    }
    return weeks.pair(minutes, display_groups=display_groups)


PANELS = (
    PanelDefinition(
        name="week_minutes",
        position=140,
        title=translatable("Minutes of running each week"),
        compare=pair_week_minutes,
        is_on_dashboard=False,
        codebook=CodebookEntry("", "Spearman: minutes and rest = 1 mood of a week"),
        sentences={
            "higher": Sentence(
                translatable(
                    "Check-in mood tended to be higher in weeks with more minutes of "
                    "running."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Check-in mood tended to be lower in weeks with more minutes of "
                    "running."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between the minutes of a week and check-in "
                    "mood."
                )
            ),
        },
    ),
)
