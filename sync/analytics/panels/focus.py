"""Answers to each focus question against the distance run.

A runner chooses one question at a time.  Each has a panel of its own once it was
answered, so a runner who keeps one question has one picture more, not six.
"""

from functools import partial

import numpy as np

from sync.analytics.panels.definition import (
    FOCUS_KEYS,
    History,
    PairComparison,
    PanelDefinition,
    Sentence,
)
from sync.language import translatable


def pair_focus(history: History, key: str) -> PairComparison | None:
    """Pair the answers to one question with the distance that they are about.

    Returns None without any answer to it.  The first question stands in where no
    focus question was answered.
    """
    is_about_run = history.answers.run >= 0
    answered_keys = [
        key
        for key in FOCUS_KEYS
        if key in history.answers.focus
        and not np.isnan(history.answers.focus[key][is_about_run]).all()
    ]
    if key not in (answered_keys or FOCUS_KEYS[:1]):
        return None
    missing = np.full(len(history.answers.run), np.nan)
    values = history.answers.focus.get(key, missing)
    mask = history.is_after_run & ~np.isnan(values) & (history.about_m > 0)
    return PairComparison(
        x=history.about_m[mask],
        y=values[mask],
        days=history.answer_days[mask],
        run_ids=history.run_ids[mask],
        is_mood=False,
    )


PANELS = (
    PanelDefinition(
        name="focus_energy",
        position=200,
        title=translatable("Energy and the distance run"),
        compare=partial(pair_focus, key="energy"),
        questions=("energy",),
        sentences={
            "higher": Sentence(
                translatable("You tended to have more energy after longer runs.")
            ),
            "lower": Sentence(
                translatable("You tended to have less energy after longer runs.")
            ),
            "none": Sentence(
                translatable("No clear link so far between distance and energy.")
            ),
        },
    ),
    PanelDefinition(
        name="focus_effort",
        position=210,
        title=translatable("How hard runs are, and their distance"),
        compare=partial(pair_focus, key="effort"),
        questions=("effort",),
        sentences={
            "higher": Sentence(translatable("Longer runs tended to feel harder.")),
            "lower": Sentence(translatable("Longer runs tended to feel easier.")),
            "none": Sentence(
                translatable(
                    "No clear link so far between distance and how hard runs felt."
                )
            ),
        },
    ),
    PanelDefinition(
        name="focus_presence",
        position=220,
        title=translatable("Attention on the here and now, and the distance run"),
        compare=partial(pair_focus, key="presence"),
        questions=("presence",),
        sentences={
            "higher": Sentence(
                translatable(
                    "Your attention tended to be more on the here and now during "
                    "longer runs."
                )
            ),
            "lower": Sentence(
                translatable(
                    "Your attention tended to be less on the here and now during "
                    "longer runs."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between distance and attention on the here "
                    "and now."
                )
            ),
        },
    ),
    PanelDefinition(
        name="focus_progress",
        position=230,
        title=translatable("Satisfaction with progress, and the distance run"),
        compare=partial(pair_focus, key="progress"),
        questions=("progress",),
        sentences={
            "higher": Sentence(
                translatable(
                    "You tended to be more satisfied with your progress after longer "
                    "runs."
                )
            ),
            "lower": Sentence(
                translatable(
                    "You tended to be less satisfied with your progress after longer "
                    "runs."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between distance and satisfaction with your "
                    "progress."
                )
            ),
        },
    ),
    PanelDefinition(
        name="focus_clarity",
        position=240,
        title=translatable("A clear head and the distance run"),
        compare=partial(pair_focus, key="clarity"),
        questions=("clarity",),
        sentences={
            "higher": Sentence(
                translatable("Your head tended to be clearer after longer runs.")
            ),
            "lower": Sentence(
                translatable("Your head tended to be foggier after longer runs.")
            ),
            "none": Sentence(
                translatable("No clear link so far between distance and a clear head.")
            ),
        },
    ),
    PanelDefinition(
        name="focus_connection",
        position=250,
        title=translatable("Feeling connected to others, and the distance run"),
        compare=partial(pair_focus, key="connection"),
        questions=("connection",),
        sentences={
            "higher": Sentence(
                translatable(
                    "You tended to feel more connected to others after longer runs."
                )
            ),
            "lower": Sentence(
                translatable(
                    "You tended to feel less connected to others after longer runs."
                )
            ),
            "none": Sentence(
                translatable(
                    "No clear link so far between distance and feeling connected to "
                    "others."
                )
            ),
        },
    ),
)
