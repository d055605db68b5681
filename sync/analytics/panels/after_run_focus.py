"""Mood after runs against attention to the here and now, and against effort."""

import numpy as np

from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
    pair_with_mood,
)
from sync.language import translatable

_HARD, _MODERATE = 3, 2


def pair_presence(history: History) -> PairComparison | None:
    """Pair attention on the here and now during a run with the mood after it."""
    presence = history.answers.focus.get("presence")
    if presence is None:
        return None
    display_groups = {
        translatable("not at all here and now"): presence == 0,
        translatable("a little here and now"): presence == 1,
        translatable("somewhat here and now"): presence == 2,
        translatable("mostly here and now"): presence == 3,
        translatable("completely here and now"): presence == 4,
    }
    mask = history.is_after_run & ~np.isnan(presence)
    return pair_with_mood(history, presence, mask, display_groups=display_groups)


def pair_effort(history: History) -> PairComparison | None:
    """Pair how hard a run was with the mood after it, drawn in three bands."""
    effort = history.answers.focus.get("effort")
    if effort is None:
        return None
    display_groups = {
        translatable("easy runs"): effort < _MODERATE,
        translatable("moderate runs"): effort == _MODERATE,
        translatable("hard runs"): effort >= _HARD,
    }
    mask = history.is_after_run & ~np.isnan(effort)
    return pair_with_mood(history, effort, mask, display_groups=display_groups)


PANELS = (
    PanelDefinition(
        name="presence_mood",
        position=190,
        title=translatable("Mood and attention on the here and now"),
        compare=pair_presence,
        is_on_dashboard=False,
        questions=("presence",),
        codebook=CodebookEntry("", "Spearman: presence, mood; after_run"),
        sentences={
            "higher": Sentence(
                translatable(
                    "Mood tended to be higher after runs with more attention on the "
                    "here and now."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Mood tended to be lower after runs with more attention on the "
                    "here and now."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between attention on the here and now and "
                    "mood."
                )
            ),
        },
    ),
    PanelDefinition(
        name="effort_mood",
        position=195,
        title=translatable("Mood and how hard the run was"),
        compare=pair_effort,
        is_on_dashboard=False,
        questions=("effort",),
        codebook=CodebookEntry("", "Spearman: effort, mood; after_run"),
        sentences={
            "higher": Sentence(
                translatable("Mood tended to be higher after harder runs.")
            ),
            "lower": Sentence(
                translatable("Mood tended to be higher after easier runs.")
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between how hard runs were and mood."
                )
            ),
        },
    ),
)
