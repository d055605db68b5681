"""Round axes: where the ticks go and how far an axis reaches."""

import math
from collections.abc import Sequence

_STEPS = (1, 2, 5, 10, 15, 20, 25, 50, 100, 200, 500, 1000)
_MOST_TICKS = 6
_ENOUGH_TO_CLIP = 30
_AT_LEAST = 5.0


def step_for(highest: float) -> int:
    """Return the smallest round step that needs at most six ticks."""
    fitting = (step for step in _STEPS if highest / step <= _MOST_TICKS)
    return next(fitting, _STEPS[-1])


def reach(values: Sequence[float]) -> float:
    """Return where the axis ends: a few outliers must not squeeze all others.

    With enough values it is just past 99 of 100 values, and what lies
    beyond sits at the edge; with few it is the next round number.
    """
    if not values:
        return _AT_LEAST
    if len(values) > _ENOUGH_TO_CLIP:
        ordered = sorted(values)
        return max(ordered[math.ceil(0.99 * len(ordered)) - 1] * 1.06, _AT_LEAST)
    highest = max(max(values) * 1.12, _AT_LEAST)
    step = step_for(highest)
    return float(math.ceil(highest / step) * step)


def ticks(end: float) -> list[int]:
    """Return the round values from 0 that have room for their numbers."""
    step = step_for(end)
    return [value for value in range(0, int(end) + 1, step) if value < end * 0.985]
