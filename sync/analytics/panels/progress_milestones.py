"""Satisfaction with progress after races and longest runs against other runs."""

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
from sync.analytics.panels.longest import find_longest_runs
from sync.language import translatable


def compare_milestones(history: History) -> GroupComparison | None:
    progress = history.answers.focus.get("progress")
    if progress is None:
        return None
    mask = history.is_after_run & ~np.isnan(progress)
    is_milestone = find_longest_runs(history) | history.is_about_race
    display_groups = {
        translatable("races and longest so far"): is_milestone,
        translatable("others"): ~is_milestone,
    }
    return compare_answers(history, progress, is_milestone, mask, display_groups)


PANELS = (
    PanelDefinition(
        name="progress_milestones",
        position=260,
        title=translatable("Satisfaction with progress after races and longest runs"),
        sides=Sides(
            translatable("races and longest so far"), translatable("other runs")
        ),
        compare=compare_milestones,
        is_on_dashboard=False,
        questions=("progress",),
        codebook=CodebookEntry("steps", "mean progress after milestones, less others"),
        sentences={
            "higher": Sentence(
                translatable(
                    "You tended to be more satisfied with your progress after races "
                    "and longest runs."
                )
            ),
            "lower": Sentence(
                translatable(
                    "You tended to be less satisfied with your progress after races "
                    "and longest runs."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far in satisfaction with progress after "
                    "races and longest runs."
                )
            ),
        },
    ),
)
