"""Round axes: where the ticks go and how far an axis reaches."""

import math
from collections.abc import Sequence

_STEPS = (1, 2, 5, 10, 15, 20, 25, 50, 100, 200, 500, 1000)
_MAX_TICKS = 6
_CLIP_FROM_COUNT = 30
_MIN_AXIS_END = 5.0


def choose_tick_step(highest: float) -> int:
    """Return the smallest round step that needs at most six ticks."""
    fitting = (step for step in _STEPS if highest / step <= _MAX_TICKS)
    return next(fitting, _STEPS[-1])


def compute_axis_end(values: Sequence[float]) -> float:
    """Return where the axis ends: a few outliers must not squeeze all others.

    With enough values it is just past 99 of 100 values, and what lies
    beyond sits at the edge; with few it is the next round number.
    """
    if not values:
        return _MIN_AXIS_END
    if len(values) > _CLIP_FROM_COUNT:
        ordered = sorted(values)
        return max(ordered[math.ceil(0.99 * len(ordered)) - 1] * 1.06, _MIN_AXIS_END)
    highest = max(max(values) * 1.12, _MIN_AXIS_END)
    step = choose_tick_step(highest)
    return float(math.ceil(highest / step) * step)


def list_ticks(axis_end: float) -> list[int]:
    """Return the round values from 0 that have room for their numbers."""
    step = choose_tick_step(axis_end)
    return [
        value for value in range(0, int(axis_end) + 1, step) if value < axis_end * 0.985
    ]
