"""A clear head after runs against check-ins, drawn by time of day."""

import numpy as np

from sync.analytics.panels.definition import (
    CodebookEntry,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
    compare_answers,
)
from sync.language import translatable

_NOON, _EVENING = 12, 17


def compare_clear_heads(history: History) -> GroupComparison | None:
    """Compare answers within six hours of a run with those at rest-day check-ins."""
    clarity = history.answers.focus.get("clarity")
    if clarity is None:
        return None
    is_after_run, is_rest_day = history.is_after_run, history.is_rest_day
    mask = (is_after_run | is_rest_day) & ~np.isnan(clarity)
    hour = history.answers.local_hour
    is_morning, is_evening = hour < _NOON, hour >= _EVENING
    is_afternoon = ~is_morning & ~is_evening
    display_groups = {
        translatable("after runs, morning"): is_after_run & is_morning,
        translatable("check-ins, morning"): is_rest_day & is_morning,
        translatable("after runs, afternoon"): is_after_run & is_afternoon,
        translatable("check-ins, afternoon"): is_rest_day & is_afternoon,
        translatable("after runs, evening"): is_after_run & is_evening,
        translatable("check-ins, evening"): is_rest_day & is_evening,
    }
    return compare_answers(history, clarity, is_after_run, mask, display_groups)


PANELS = (
    PanelDefinition(
        name="clear_head",
        position=280,
        title=translatable("A clear head after runs and at check-ins"),
        sides=Sides(translatable("after runs"), translatable("at check-ins")),
        compare=compare_clear_heads,
        is_on_dashboard=False,
        questions=("clarity",),
        codebook=CodebookEntry("steps", "mean clarity after_run = 1, less rest = 1"),
        sentences={
            "higher": Sentence(
                translatable(
                    "Your head tended to be clearer after runs than at check-ins."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Your head tended to be foggier after runs than at check-ins."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far in how clear your head is after runs "
                    "and at check-ins."
                )
            ),
        },
    ),
)
