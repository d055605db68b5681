"""How many runs ended Great and full of energy, and which."""

import numpy as np

from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PanelDefinition,
    Sides,
)
from sync.analytics.panels.pictures import SharePicture
from sync.language import translatable

_GREAT, _FULL_OF_ENERGY = 2, 4


def find_runners_highs(history: History) -> SharePicture | None:
    """Count answers of Great and full of energy among those that say their energy."""
    energy = history.answers.focus.get("energy")
    if energy is None:
        return None
    mask = history.is_after_run & ~np.isnan(energy)
    is_high = (history.answers.mood == _GREAT) & (energy == _FULL_OF_ENERGY)
    return SharePicture(
        flags=is_high[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        label=translatable("Great and full of energy"),
        finding=translatable("{count} of {n} runs ended Great and full of energy."),
    )


PANELS = (
    PanelDefinition(
        name="runners_high",
        position=160,
        title=translatable("Great and full of energy"),
        sides=Sides(
            translatable("Great and full of energy"), translatable("other runs")
        ),
        compare=find_runners_highs,
        sentences={},
        is_on_dashboard=False,
        questions=("energy",),
        codebook=CodebookEntry("0 to 1", "share of mood = 2 and energy = 4; after_run"),
    ),
)
