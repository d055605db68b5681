"""How far check-in moods are spread in each four weeks, beside the days with a run."""

import numpy as np

from sync.analytics.dataset.stretches import find_stretches
from sync.analytics.panels.definition import (
    CodebookEntry,
    History,
    PanelDefinition,
)
from sync.analytics.panels.panel import Series, Timeline
from sync.analytics.panels.pictures import TimelinePicture
from sync.analytics.sentences.catalogue import build_note
from sync.language import translatable

MIN_ANSWERS = 6
MIN_STRETCHES = 4
_MAX_SPREAD = 2.0  # of moods from -2 to 2, half of either end


def picture_steadiness(history: History) -> TimelinePicture:
    """Take the standard deviation of each stretch with six check-ins or more.

    It is a picture only: near an end of the scale the spread is small by itself.
    """
    stretches = find_stretches(history)
    is_rest_day, run_days = history.is_rest_day, history.run_days
    index = stretches.find_index(history.answers.local_day[is_rest_day])
    mood = history.answers.mood[is_rest_day]
    by_stretch = [mood[index == number] for number in range(len(stretches.starts))]
    is_known = np.array([len(moods) >= MIN_ANSWERS for moods in by_stretch], dtype=bool)
    known = [moods for moods in by_stretch if len(moods) >= MIN_ANSWERS]
    return TimelinePicture(
        timeline=Timeline(
            upper=Series(
                label=translatable("Spread of check-in mood"),
                days=stretches.starts[is_known],
                values=np.array([moods.std(ddof=1) for moods in known]),
            ),
            lower=Series(
                label=translatable("Days with a run"),
                days=stretches.starts,
                values=stretches.sum_by_stretch(run_days, np.ones(len(run_days))),
            ),
            top=_MAX_SPREAD,
            answer_counts=np.array([len(moods) for moods in known], dtype=np.int64),
        ),
        needed=MIN_STRETCHES,
        kind="stretches",
        remarks=(build_note("ceiling_of_spread"),),
    )


PANELS = (
    PanelDefinition(
        name="steadiness",
        position=170,
        title=translatable("How steady your mood is"),
        compare=picture_steadiness,
        sentences={},
        is_on_dashboard=False,
        codebook=CodebookEntry(
            "steps", "mean SD of rest = 1 mood by four weeks from the first run"
        ),
    ),
)
