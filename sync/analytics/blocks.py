"""Four weeks at a time: distance, and how high and how steady check-ins were."""

from dataclasses import dataclass

import numpy as np

from sync.analytics.history import History
from sync.analytics.loads import MONTH_DAYS
from sync.analytics.series import Floats, Ints

FEWEST_FOR_SPREAD = 6


@dataclass(frozen=True, slots=True)
class Blocks:
    """Four-week blocks that end today, oldest first, shape (b,) each.

    `mood` is the mean of rest-day check-ins, nan without any; `spread` their
    standard deviation, nan under six. A picture only: near the top of the scale
    the spread shrinks by itself, so no sentence rests on it.
    """

    start_day: Ints
    distance_m: Floats
    answers: Ints
    mood: Floats
    spread: Floats


def blocks(history: History) -> Blocks:
    """Cut the runner's history into whole blocks, the first may be partly empty."""
    days, rested = history.runs.local_day, history.rested
    asked_days, mood = history.answers.local_day[rested], history.answers.mood[rested]
    first = min([*days[:1], *asked_days[:1]], default=history.today + 1)
    many = max(0, -(-(history.today - int(first) + 1) // MONTH_DAYS))
    start = history.today - MONTH_DAYS * many + 1
    run_place = np.clip((days - start) // MONTH_DAYS, 0, max(many - 1, 0))
    place = np.clip((asked_days - start) // MONTH_DAYS, 0, max(many - 1, 0))
    count = np.bincount(place, minlength=many)[:many]
    total = np.bincount(place, mood, many)[:many]
    square = np.bincount(place, mood**2, many)[:many]
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    left = np.maximum(square - np.maximum(count, 1) * np.nan_to_num(mean) ** 2, 0)
    spread = np.sqrt(left / np.maximum(count - 1, 1))
    distance_m = np.bincount(run_place, history.runs.distance_m, many)
    return Blocks(
        start_day=start + MONTH_DAYS * np.arange(many, dtype=np.int64),
        distance_m=np.asarray(distance_m[:many], dtype=np.float64),
        answers=count.astype(np.int64),
        mood=mean,
        spread=np.where(count >= FEWEST_FOR_SPREAD, spread, np.nan),
    )
