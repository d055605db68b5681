"""The focus questions that a runner chooses from, each with its own words.

Each has a panel of its own, but only once it was answered: a runner who keeps
one question has one picture more, not six.
"""

import numpy as np

from sync.analytics.dataset.columns import FOCUS_KEYS
from sync.analytics.dataset.history import History
from sync.analytics.panels.comparisons import PairComparison

# A panel's name is its question's key behind PREFIX.
PANEL_NAME_PREFIX = "focus_"


def build_focus_panels(history: History) -> tuple[PairComparison, ...]:
    """Distance against each focus question that was answered after runs."""
    answered_keys = [
        key for key in FOCUS_KEYS if key in history.answers.focus
    ] or FOCUS_KEYS[:1]
    return tuple(_build_panel(history, key) for key in answered_keys)


def _build_panel(history: History, key: str) -> PairComparison:
    values = history.answers.focus.get(key)
    if values is None:
        values = np.full(len(history.answers.run), np.nan)
    mask = history.is_after_run & ~np.isnan(values)
    return PairComparison(
        PANEL_NAME_PREFIX + key,
        history.about_m[mask],
        values[mask],
        history.answer_days[mask],
        history.run_ids[mask],
        is_mood=False,
    )
