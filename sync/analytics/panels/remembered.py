"""The change from a remembered mood before runs to the mood after them."""

import numpy as np

from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PanelDefinition,
)
from sync.analytics.panels.panel import CHANGE_RANGE
from sync.analytics.panels.pictures import MeanPicture
from sync.analytics.sentences.catalogue import build_note
from sync.language import translatable

_SECONDS_PER_MINUTE = 60


def picture_remembered_change(history: History) -> MeanPicture:
    """Take the mean change, of all runs and by their minutes.

    It is never drawn against the mood before: a low start alone makes a lift.
    """
    mask = history.is_after_run & ~np.isnan(history.answers.before)
    change = (history.answers.mood - history.answers.before)[mask]
    minutes = (history.about_s / _SECONDS_PER_MINUTE)[mask]
    return MeanPicture(
        values=change,
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        display_groups={
            translatable("all runs"): np.ones(len(change), dtype=np.bool_),
            translatable("under 15 min"): minutes < 15,
            translatable("15 to 30 min"): (minutes >= 15) & (minutes < 30),
            translatable("30 to 60 min"): (minutes >= 30) & (minutes < 60),
            translatable("60 min or more"): minutes >= 60,
        },
        value_range=CHANGE_RANGE,
        remarks=(build_note("remembered_before"),),
    )


PANELS = (
    PanelDefinition(
        name="remembered",
        position=300,
        title=translatable("Remembered change from before to after"),
        compare=picture_remembered_change,
        sentences={},
        is_on_dashboard=False,
        questions=("before",),
        codebook=CodebookEntry("steps", "mean mood less before; after_run"),
    ),
)
