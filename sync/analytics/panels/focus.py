"""The focus questions that a runner chooses from, each with its own words.

Each has a panel of its own, but only once it was answered: a runner who keeps
one question has one picture more, not six.
"""

import numpy as np

from sync.analytics.dataset.columns import FOCUS
from sync.analytics.dataset.history import History
from sync.analytics.panels.comparisons import Pairs

# A panel's name is its question's key behind PREFIX.
PREFIX = "focus_"


def focus_panels(history: History) -> tuple[Pairs, ...]:
    """Distance against each focus question that was answered after runs."""
    asked = [key for key in FOCUS if key in history.answers.focus] or FOCUS[:1]
    return tuple(_panel(history, key) for key in asked)


def _panel(history: History, key: str) -> Pairs:
    said = history.answers.focus.get(key)
    if said is None:
        said = np.full(len(history.answers.run), np.nan)
    used = history.after_run & ~np.isnan(said)
    return Pairs(
        PREFIX + key,
        history.about_m[used],
        said[used],
        history.answer_days[used],
        history.run_ids[used],
        is_mood=False,
    )
