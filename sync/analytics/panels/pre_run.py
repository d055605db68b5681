"""The change from what was said on the way out to the mood after the run."""

import numpy as np

from sync.analytics.panels.definition import (
    NO_RUN,
    CodebookEntry,
    Flags,
    Floats,
    History,
    Ints,
    PanelDefinition,
)
from sync.analytics.panels.panel import CHANGE_RANGE
from sync.analytics.panels.pictures import MeanPicture
from sync.analytics.sentences.catalogue import LocalizedText, build_note
from sync.language import translatable

_MIN_FOR_MEMORY = 10


def picture_said_change(history: History) -> MeanPicture | None:
    """Take the mean change after runs, and between two check-ins of one day.

    Returns None without any "before".  It is never drawn against the mood before: a
    low start alone makes a lift.
    """
    if not len(history.pre_run.mood):
        return None
    answers = history.answers
    mask = history.is_after_run & ~np.isnan(history.said_before)
    earlier, later = find_checkin_pairs(history)
    changes = (
        (answers.mood - history.said_before)[mask],
        answers.mood[later] - answers.mood[earlier],
    )
    after_run = np.repeat([True, False], [len(changes[0]), len(changes[1])])
    return MeanPicture(
        values=np.concatenate(changes),
        days=np.concatenate([history.answer_days[mask], history.answer_days[later]]),
        run_ids=np.concatenate([history.run_ids[mask], np.full(len(later), NO_RUN)]),
        display_groups={
            translatable("from before to after a run"): after_run,
            translatable("between two check-ins of one day"): ~after_run,
        },
        value_range=CHANGE_RANGE,
        remarks=(build_note("said_before"), *_compare_with_memory(history, mask)),
    )


def find_checkin_pairs(history: History) -> tuple[Ints, Ints]:
    """Return rows of check-ins, shape (k,) each, that follow each other on one day.

    Neither has a run before it on its day.
    """
    rows = np.flatnonzero(history.is_rest_day)
    days = history.answers.local_day[rows]
    is_same_day = days[1:] == days[:-1]
    return rows[:-1][is_same_day], rows[1:][is_same_day]


def _compare_with_memory(history: History, mask: Flags) -> tuple[LocalizedText, ...]:
    """Return by how much memory differs, from ten runs on that have both."""
    gap: Floats = (history.answers.before - history.said_before)[mask]
    gap = gap[~np.isnan(gap)]
    if len(gap) < _MIN_FOR_MEMORY:
        return ()
    return (build_note("memory_gap", n=len(gap), mean=float(gap.mean())),)


PANELS = (
    PanelDefinition(
        name="pre_run",
        position=310,
        title=translatable("Change from before to after, as you said it"),
        compare=picture_said_change,
        sentences={},
        is_on_dashboard=False,
        questions=("mood",),
        codebook=CodebookEntry("steps", "mean mood less said_before; after_run"),
    ),
)
