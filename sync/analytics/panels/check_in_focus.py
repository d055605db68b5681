"""Confidence and control at check-ins: on days with a run against days without."""

from functools import partial

import numpy as np

from sync.analytics.panels.definition import (
    NO_RUN,
    CodebookEntry,
    GroupComparison,
    History,
    PanelDefinition,
    Sentence,
    Sides,
)
from sync.language import translatable

_SIDES = Sides(
    translatable("after a run that day"), translatable("no run yet that day")
)


def compare_run_days(history: History, key: str) -> GroupComparison | None:
    """Compare check-ins after a run of their day with those before any run.

    Returns None while nobody was asked.
    """
    values = history.answers.focus.get(key)
    if values is None:
        return None
    mask = history.answers.is_checkin & ~np.isnan(values)
    is_run_day = ~history.is_rest_day[mask]
    return GroupComparison(
        values=values[mask],
        in_first=is_run_day,
        days=history.answer_days[mask],
        run_ids=np.where(
            is_run_day,
            history.find_last_runs(history.answers.local_day[mask]),
            NO_RUN,
        ),
        display_groups={
            _SIDES.first: is_run_day,
            _SIDES.second: ~is_run_day,
        },
        is_mood=False,
    )


PANELS = (
    PanelDefinition(
        name="control",
        position=270,
        title=translatable("Being in control on run days and rest days"),
        sides=_SIDES,
        compare=partial(compare_run_days, key="control"),
        is_on_dashboard=False,
        questions=("control",),
        codebook=CodebookEntry("steps", "mean control at check-ins, rest = 0 less 1"),
        sentences={
            "higher": Sentence(
                translatable(
                    "At check-ins you tended to feel more in control on days with a "
                    "run."
                )
            ),
            "lower": Sentence(
                translatable(
                    "At check-ins you tended to feel less in control on days with a "
                    "run."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far in being in control on days with a run."
                )
            ),
        },
    ),
    PanelDefinition(
        name="confidence",
        position=275,
        title=translatable("Confidence on run days and rest days"),
        sides=_SIDES,
        compare=partial(compare_run_days, key="confidence"),
        is_on_dashboard=False,
        questions=("confidence",),
        codebook=CodebookEntry(
            "steps", "mean confidence at check-ins, rest = 0 less 1"
        ),
        sentences={
            "higher": Sentence(
                translatable(
                    "At check-ins you tended to feel more confident on days with a run."
                )
            ),
            "lower": Sentence(
                translatable(
                    "At check-ins you tended to feel less confident on days with a run."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear difference so far in confidence on days with a run."
                )
            ),
        },
    ),
)
